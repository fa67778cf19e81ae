// Every target, in the order of the tables. Adding one is a line here.
import { doorTarget } from './door-targets.ts';
import { opaTarget } from './opa-target.ts';
import { bareTarget, directTarget, goEchoTarget, noopWasmTarget } from './plain-targets.ts';
import type { TargetKind } from './target.ts';

/** What the others are compared with. */
export const BARE: TargetKind = bareTarget;

export const targetKinds: readonly TargetKind[] = [
  // What the load generator and the upstream reach by themselves: no figure below it is theirs.
  directTarget,
  BARE,
  noopWasmTarget,
  doorTarget({ id: 'in-envoy-door', name: 'in-Envoy door, example policy', door: 'in_envoy', policy: 'example' }),
  doorTarget({ id: 'ext-proc-door', name: 'ext_proc door, example policy', door: 'ext_proc', policy: 'example' }),
  doorTarget({
    id: 'ext-proc-door-empty',
    name: 'ext_proc door, a filter that only passes',
    door: 'ext_proc',
    policy: 'none',
  }),
  goEchoTarget,
  opaTarget,
];
