/**
 * `decide` of a policy: one function a site, and a dispatch on event and store. Straight-line code from the plan; what
 * the plan means stands in compiler/plan/plan.ts, and compiler/interpret/ says the same as a program.
 */
import {
  EVENT_CHUNK,
  EVENT_COMPLETION,
  EVENT_EGRESS,
  EVENT_EXCHANGE,
  EVENT_INGEST,
  EVENT_PROMPT,
  EVENT_RETRIEVAL,
  EVENT_TOOL_CALL,
} from '../../filters/kernel/abi.ts';
import { RESULT_SITE } from '../../filters/kernel/decision/layout.ts';
import { addPromptSite } from './decide-prompt.ts';
import { addRulesSite } from './decide-rules.ts';
import type { Plan } from '../plan/plan.ts';
import type { TableWriter } from '../tables/table-writer.ts';
import type { WasmFunction } from './encode-function.ts';
import { I32, NONE } from './instructions.ts';
import { type PolicyCode, policyModule } from './policy-code.ts';
import type { Site } from './site.ts';
import type { SiteCode } from './site-code.ts';

const EVENT_NAMES: { readonly [event: number]: string } = {
  [EVENT_PROMPT]: 'prompt',
  [EVENT_COMPLETION]: 'completion',
  [EVENT_RETRIEVAL]: 'retrieval',
  [EVENT_CHUNK]: 'chunk',
  [EVENT_INGEST]: 'ingest',
  [EVENT_EGRESS]: 'egress',
  [EVENT_TOOL_CALL]: 'tool_call',
  [EVENT_EXCHANGE]: 'exchange',
};

/** Their number of a store says nothing. */
const STORELESS: ReadonlySet<number> = new Set([EVENT_PROMPT, EVENT_COMPLETION, EVENT_EGRESS, EVENT_EXCHANGE]);

/**
 * `decide` (event, store, facts, result), and all that it calls. `addresses` are the sites' tables. A site that the
 * policy does not have leaves the result as it was: zeros, which deny.
 */
export function decideFunctions(
  policy: { readonly plan: Plan; readonly writer: TableWriter },
  sites: readonly Site[],
  addresses: readonly number[],
): readonly WasmFunction[] {
  const module = policyModule();
  const code: PolicyCode = { ...policy, module };
  const price = new Map(code.plan.byPrice.map((model, rank) => [model, rank]));
  const cases = sites.map((site, at) => {
    const siteCode: SiteCode = {
      code,
      site,
      name: `${EVENT_NAMES[site.event]}${site.store}`,
      modelBit: site.event === EVENT_PROMPT ? (model) => price.get(model)! : (model) => model,
    };
    if (site.prompt !== undefined) addPromptSite(siteCode, site.prompt);
    else addRulesSite(siteCode);
    return { site, address: addresses[at]!, name: siteCode.name };
  });
  const param = (at: number) => module.local.get(at, I32);
  const body = cases.reduceRight((next, { site, address, name: target }) => {
    const isEvent = module.i32.eq(param(0), module.i32.const(site.event));
    const isStore = module.i32.eq(param(1), module.i32.const(site.store));
    const isSite = STORELESS.has(site.event) ? isEvent : module.i32.and(isEvent, isStore);
    const run = module.block(null, [
      module.i32.store(RESULT_SITE, 4, param(3), module.i32.const(address)),
      module.call(target, [param(2), param(3)], NONE),
    ]);
    return module.if(isSite, run, next);
  }, module.nop());
  const decide = { name: 'decide', params: [I32, I32, I32, I32], result: NONE, locals: [], body } as const;
  return [decide, ...module.functions];
}
