/** `writ switch`: turns a policy's switches on and off, signed and published beside its bundle. */
import type { FeedState, SwitchState } from '../../compiler/bundle/feed.ts';
import { Admin } from '../../proto/gen/writ/v1/admin_pb.ts';
import { type Command, CommandError, type ExitCode, oneVerb, parse, type World } from '../command.ts';
import { adminOptionsHelp, type AdminClient, openAdmin } from '../connection.ts';
import { durationFrom, durationText } from '../duration-text.ts';
import { type Change, policyOf, publishChange, signerOf, signerOptions, signerOptionsHelp } from '../feed-signing.ts';
import { textTable } from '../text-table.ts';

export const switchCommand: Command = {
  name: 'switch',
  help: `usage: writ switch on NAME [--for DURATION | --until TIME] [options]
       writ switch off NAME [options]
       writ switch show --policy NAME [options]

on    turns the switch on; a policy that says how long at most turns it off by itself, after that long where nothing shorter is said
off   turns it off; one that is off already stays as it is
show  prints every switch of the policy

${signerOptionsHelp}
  --for DURATION             30s, 10m, 2h
  --until TIME               2026-12-31T18:00:00Z, or with another offset than Z
${adminOptionsHelp}
  --json                     print {"switch","sequence","on","until","changed"}; show prints {"switches":[…]}

exit codes: 0 done, 2 it could not be done`,
  async run(args, world) {
    const verb = oneVerb(this, args, ['on', 'off', 'show']);
    const text = { type: 'string' } as const;
    const { values, positionals } = parse(this, args.slice(1), { ...signerOptions, for: text, until: text });
    if (verb !== 'on' && (values.for !== undefined || values.until !== undefined))
      throw new CommandError('`--for` and `--until` go with `on`');
    const policy = policyOf(values);
    const admin = openAdmin(values, world);
    try {
      if (verb === 'show') return await show(admin, policy, values.json, world);
      const [name, ...others] = positionals;
      if (name === undefined || others.length > 0)
        throw new CommandError(`\`writ switch ${verb}\` takes one switch`, '`writ switch --help` shows how');
      const change = verb === 'on' ? turnedOn(policy, name, endFrom(values)) : turnedOff(policy, name);
      const { state, hasChanged } = await publishChange(admin, change, signerOf(values, world));
      const now = switchOf(state);
      const on = now?.on ?? false;
      const until = now?.until ?? null;
      const end = until === null ? null : new Date(until).toISOString();
      if (values.json)
        world.out(
          `${JSON.stringify({ switch: name, sequence: now?.sequence ?? 0, on, until: on ? end : null, changed: hasChanged })}\n`,
        );
      else
        world.out(
          `${name} is ${on ? 'on' : 'off'}${hasChanged ? '' : ' already'}${!on ? '' : end === null ? ', until it is switched off' : ` until ${end}`}\n`,
        );
      return 0;
    } finally {
      admin.close();
    }
  },
};

/** When it ends: at an instant, after so long, or as the policy says. */
type End =
  | { readonly kind: 'at'; readonly instant: number }
  | { readonly kind: 'after'; readonly ms: number }
  | { readonly kind: 'usual' };

function endFrom(values: { readonly for?: string | undefined; readonly until?: string | undefined }): End {
  if (values.for !== undefined && values.until !== undefined)
    throw new CommandError('`--for` and `--until` say the same: give one of them');
  if (values.for !== undefined) return { kind: 'after', ms: durationFrom(values.for, '--for') };
  if (values.until === undefined) return { kind: 'usual' };
  const instant = Date.parse(values.until);
  if (!/T.*(Z|[+-]\d\d:\d\d)$/.test(values.until) || Number.isNaN(instant))
    throw new CommandError(`\`--until ${values.until}\` is no time with an offset`, 'such as 2026-12-31T18:00:00Z');
  if (instant <= Date.now()) throw new CommandError(`\`--until ${values.until}\` is over already`);
  return { kind: 'at', instant };
}

function turnedOn(policy: string, name: string, end: End): Change {
  return {
    policy,
    kind: 'switch',
    name,
    replaces: true,
    next({ maxMs }, before, sequence) {
      const issuedAt = Date.now();
      const most = Number(maxMs);
      const until =
        end.kind === 'at'
          ? end.instant
          : end.kind === 'after'
            ? issuedAt + end.ms
            : most === 0
              ? null
              : issuedAt + most;
      if (most > 0 && (until === null || until - issuedAt > most))
        throw new CommandError(`the policy lets \`${name}\` be on for ${durationText(most)} at most`);
      const last = switchOf(before?.state);
      if (last?.on === true && last.until === until) return null;
      return { state: { kind: 'switch', policy, name, sequence, issuedAt, on: true, until }, entries: NONE };
    },
  };
}

function turnedOff(policy: string, name: string): Change {
  return {
    policy,
    kind: 'switch',
    name,
    replaces: true,
    next({ newest }, before, sequence) {
      const last = switchOf(before?.state);
      if (newest === undefined || last?.on === false) return null;
      const issuedAt = Date.now();
      return { state: { kind: 'switch', policy, name, sequence, issuedAt, on: false, until: null }, entries: NONE };
    },
  };
}

const NONE = new Uint8Array();

function switchOf(state: FeedState | undefined): SwitchState | undefined {
  return state?.kind === 'switch' ? state : undefined;
}

async function show(admin: AdminClient, policy: string, json: boolean, world: World): Promise<ExitCode> {
  const { feeds } = await admin.call(Admin.method.feeds, { policy });
  const now = Date.now();
  const switches = feeds
    .filter(({ kind }) => kind === 'switch')
    .map(({ name, newest, maxMs, keyIds, publishedBy }) => {
      const state = newest === undefined ? undefined : claimedState(newest.statement);
      const until = state?.until ?? null;
      return {
        switch: name,
        sequence: state?.sequence ?? 0,
        on: state !== undefined && state.on && (until === null || now < until),
        until: until === null ? null : new Date(until).toISOString(),
        maxMs: maxMs === 0n ? null : Number(maxMs),
        signers: keyIds,
        publishedBy: newest === undefined ? null : publishedBy,
      };
    });
  if (json) world.out(`${JSON.stringify({ switches }, null, 2)}\n`);
  else if (switches.length === 0) world.out('the policy in force reads no switch\n');
  else
    world.out(
      textTable(
        ['switch', 'is', 'until', 'at most', 'by'],
        switches.map((each) => [
          each.switch,
          each.on ? 'on' : 'off',
          each.on ? (each.until ?? 'it is switched off') : '',
          each.maxMs === null ? '' : durationText(each.maxMs),
          each.publishedBy ?? 'nobody yet',
        ]),
      ),
    );
  return 0;
}

/** What the control plane says; a sidecar believes none of it that is not signed. */
function claimedState(statement: string): SwitchState {
  const payload = JSON.parse(Buffer.from(statement.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
    readonly feed: SwitchState;
  };
  return payload.feed;
}
