/**
 * Every command, in the order in which `writ --help` lists them. Adding one is a file in commands/ and a line here. A
 * command is loaded when it is run: what one needs (the compiler, a database, gRPC) the others do not wait for.
 */
import type { Command } from './command.ts';

export interface CommandEntry {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

export const commands: readonly CommandEntry[] = [
  {
    name: 'check',
    summary: 'say what is wrong with a policy',
    load: async () => (await import('./commands/check.ts')).check,
  },
  {
    name: 'build',
    summary: 'compile a policy to a bundle',
    load: async () => (await import('./commands/build.ts')).build,
  },
  { name: 'test', summary: "run a policy's own tests", load: async () => (await import('./commands/test.ts')).test },
  {
    name: 'decide',
    summary: 'ask a bundle for one decision',
    load: async () => (await import('./commands/decide.ts')).decide,
  },
  {
    name: 'keys',
    summary: 'make the keys of an installation',
    load: async () => (await import('./commands/keys.ts')).keys,
  },
  {
    name: 'push',
    summary: 'release a policy to every sidecar',
    load: async () => (await import('./commands/push.ts')).push,
  },
  {
    name: 'rollback',
    summary: 'bring back an earlier revision of a policy',
    load: async () => (await import('./commands/rollback.ts')).rollback,
  },
  {
    name: 'list',
    summary: 'change the lists that a policy reads',
    load: async () => (await import('./commands/list.ts')).list,
  },
  {
    name: 'switch',
    summary: "turn a policy's switches on and off",
    load: async () => (await import('./commands/switch.ts')).switchCommand,
  },
  {
    name: 'status',
    summary: 'say which sidecar enforces which revision',
    load: async () => (await import('./commands/status.ts')).status,
  },
  {
    name: 'review',
    summary: 'answer what waits for review',
    load: async () => (await import('./commands/review.ts')).review,
  },
  {
    name: 'record',
    summary: 'read the exchanges that a rule keeps',
    load: async () => (await import('./commands/record.ts')).record,
  },
  {
    name: 'notify',
    summary: 'say what recipients could not be told yet',
    load: async () => (await import('./commands/notify.ts')).notify,
  },
  {
    name: 'control-plane',
    summary: 'run the control plane',
    load: async () => (await import('./commands/control-plane.ts')).controlPlane,
  },
  {
    name: 'sidecar',
    summary: 'run the sidecar of an Envoy',
    load: async () => (await import('./commands/sidecar.ts')).sidecar,
  },
];
