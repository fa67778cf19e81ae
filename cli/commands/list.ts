/** `writ list`: the values of a policy's lists, signed and published beside its bundle. */
import { randomBytes } from 'node:crypto';
import { BundleError } from '../../compiler/bundle/bundle-error.ts';
import { entryOf, hashedValue, packEntries, SALT_BYTES, unpackEntries } from '../../compiler/bundle/feed-entries.ts';
import { listState, type ListState, type VerifiedFeed } from '../../compiler/bundle/feed.ts';
import { Admin } from '../../proto/gen/writ/v1/admin_pb.ts';
import type { FeedInfo } from '../../proto/gen/writ/v1/feeds_pb.ts';
import { type Command, CommandError, type ExitCode, oneVerb, parse, type World } from '../command.ts';
import { adminOptionsHelp, type AdminClient, openAdmin } from '../connection.ts';
import { durationFrom, durationText } from '../duration-text.ts';
import { type Change, feedInfo, type Published, policyOf, publishChange, signerOf } from '../feed-signing.ts';
import { signerOptions, signerOptionsHelp } from '../feed-signing.ts';
import { readBytes } from '../files.ts';
import { textTable } from '../text-table.ts';

export const list: Command = {
  name: 'list',
  help: `usage: writ list add FEED VALUE… [options]
       writ list remove FEED VALUE… [options]
       writ list import FEED FILE [options]
       writ list refresh FEED… [--every DURATION] [options]
       writ list show [FEED [VALUE…]] --policy NAME [options]

add      puts values into the list that the policy reads \`from "FEED"\`; remove takes them out. What is there already, or not there, changes nothing
import   makes the lines of FILE (- for standard input) all that is in the list
refresh  signs the list again as it is, so that it does not grow too old; with --every again and again, until it is stopped
show     prints what was published of each list; with values, whether each of them is in it

Values are hashed before they leave this machine: nobody can read them back from a list.

${signerOptionsHelp}
  --every DURATION           30s, 10m, 2h: well below the list's \`max age\`
${adminOptionsHelp}
  --json                     print {"feed","sequence","issuedAt","count","changed"}; show prints {"lists":[…]}

exit codes: 0 done, 2 it could not be done`,
  async run(args, world) {
    const verb = oneVerb(this, args, VERBS);
    const { values, positionals } = parse(this, args.slice(1), { ...signerOptions, every: { type: 'string' } });
    if (values.every !== undefined && verb !== 'refresh') throw new CommandError('`--every` goes with `refresh`');
    const policy = policyOf(values);
    const admin = openAdmin(values, world);
    try {
      if (verb === 'show') return await show(admin, policy, positionals, values.json, world);
      const signer = signerOf(values, world);
      const [feed, ...given] = positionals;
      if (feed === undefined) throw new CommandError('no list is named', '`writ list --help` shows how');
      if (verb === 'refresh') {
        const every = values.every === undefined ? null : durationFrom(values.every, '--every');
        for (;;) {
          for (const name of positionals)
            tell(await publishChange(admin, refreshed(policy, name), signer), values.json, world);
          if (every === null || !(await waits(every, world.signal))) return 0;
        }
      }
      if (given.length === 0 || (verb === 'import' && given.length > 1))
        throw new CommandError(
          verb === 'import' ? '`writ list import` takes a feed and a file' : 'no value is given',
          '`writ list --help` shows how',
        );
      const written = verb === 'import' ? await linesOf(given[0]!, world) : given;
      tell(await publishChange(admin, changed(verb, policy, feed, written), signer), values.json, world);
      return 0;
    } finally {
      admin.close();
    }
  },
};

const VERBS = ['add', 'remove', 'import', 'refresh', 'show'] as const;
type Verb = (typeof VERBS)[number];

function changed(verb: 'add' | 'remove' | 'import', policy: string, name: string, written: readonly string[]): Change {
  return {
    policy,
    kind: 'list',
    name,
    replaces: verb === 'import',
    next({ element, most }, before, sequence) {
      const last = listOf(before);
      const salt = last === undefined ? randomBytes(SALT_BYTES) : Buffer.from(last.salt, 'hex');
      const given = written.map((value) => entryOf(salt, hashed(element, value)));
      const had = before === undefined ? [] : unpackEntries(before.entries);
      const out = new Set(given.map(hex));
      const entries = packEntries(
        verb === 'import' ? given : verb === 'add' ? [...had, ...given] : had.filter((entry) => !out.has(hex(entry))),
      );
      const count = entries.length / SALT_BYTES;
      if (count > most) throw new CommandError(`the list would have ${count} values, and the policy takes ${most}`);
      if (last !== undefined && before !== undefined && Buffer.compare(entries, before.entries) === 0) return null;
      const issuedAt = Date.now();
      return { state: listState({ policy, name, sequence, issuedAt, element, salt: hex(salt) }, entries), entries };
    },
  };
}

function refreshed(policy: string, name: string): Change {
  return {
    policy,
    kind: 'list',
    name,
    replaces: false,
    next(_, before, sequence) {
      const last = listOf(before);
      if (last === undefined || before === undefined)
        throw new CommandError(
          `nothing was published of \`${name}\` yet`,
          `\`writ list import ${name} /dev/null\` publishes an empty list`,
        );
      return { state: { ...last, sequence, issuedAt: Date.now() }, entries: before.entries };
    },
  };
}

function listOf(feed: VerifiedFeed | undefined): ListState | undefined {
  return feed?.state.kind === 'list' ? feed.state : undefined;
}

function hashed(element: string, value: string): string {
  try {
    return hashedValue(element, value);
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    // The value itself may name somebody: it stands in the shell's history, not in ours.
    throw new CommandError(error.message);
  }
}

function tell({ state, hasChanged, terms }: Published, json: boolean, world: World): void {
  if (state === undefined || state.kind !== 'list') {
    world.out(json ? `${JSON.stringify({ feed: terms.name, changed: false })}\n` : `${terms.name} is as it was\n`);
    return;
  }
  const { name, sequence, count } = state;
  const issuedAt = new Date(state.issuedAt).toISOString();
  if (json) world.out(`${JSON.stringify({ feed: name, sequence, issuedAt, count, changed: hasChanged })}\n`);
  else
    world.out(
      hasChanged
        ? `${name} number ${sequence} is published: ${count} ${count === 1 ? 'value' : 'values'}, good for ${durationText(Number(terms.maxAgeMs))}\n`
        : `${name} is as it was: number ${sequence}, ${count} ${count === 1 ? 'value' : 'values'}\n`,
    );
}

async function show(
  admin: AdminClient,
  policy: string,
  [feed, ...values]: readonly string[],
  json: boolean,
  world: World,
): Promise<ExitCode> {
  const infos =
    feed === undefined
      ? (await admin.call(Admin.method.feeds, { policy })).feeds.filter(({ kind }) => kind === 'list')
      : [await feedInfo(admin, { policy, kind: 'list', name: feed })];
  const now = Date.now();
  const lists = infos.map((info) => listDocument(info, values, now));
  if (json) world.out(`${JSON.stringify({ lists }, null, 2)}\n`);
  else if (lists.length === 0) world.out('the policy in force reads no list\n');
  else {
    world.out(
      textTable(
        ['list', 'number', 'values', 'age', 'most', 'by'],
        lists.map((each) => [
          each.feed,
          each.sequence === null ? 'none' : String(each.sequence),
          each.count === null ? '' : String(each.count),
          each.ageMs === null ? '' : `${durationText(each.ageMs)}${each.ageMs > each.maxAgeMs ? ', too old' : ''}`,
          durationText(each.maxAgeMs),
          each.publishedBy ?? '',
        ]),
      ),
    );
    for (const { has } of lists)
      for (const { value, isIn } of has) world.out(`${value} is ${isIn ? '' : 'not '}in it\n`);
  }
  return 0;
}

/** What the control plane says; a sidecar believes none of it that is not signed. */
function listDocument(info: FeedInfo, values: readonly string[], now: number) {
  const { newest, element } = info;
  const state = newest === undefined ? undefined : claimedState(newest.statement);
  const entries = new Set(newest === undefined ? [] : unpackEntries(newest.entries).map(hex));
  return {
    feed: info.name,
    element,
    sequence: newest === undefined ? null : Number(newest.sequence),
    issuedAt: state === undefined ? null : new Date(state.issuedAt).toISOString(),
    ageMs: state === undefined ? null : Math.max(0, now - state.issuedAt),
    maxAgeMs: Number(info.maxAgeMs),
    count: state?.count ?? null,
    most: info.most,
    signers: info.keyIds,
    publishedBy: newest === undefined ? null : info.publishedBy,
    has: values.map((value) => ({
      value,
      isIn: state !== undefined && entries.has(hex(entryOf(Buffer.from(state.salt, 'hex'), hashed(element, value)))),
    })),
  };
}

function claimedState(statement: string): ListState {
  const payload = JSON.parse(Buffer.from(statement.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
    readonly feed: ListState;
  };
  return payload.feed;
}

async function linesOf(file: string, world: World): Promise<readonly string[]> {
  const text =
    file === '-' ? await world.stdin() : Buffer.from(await readBytes(file, world.cwd, 'list')).toString('utf8');
  return text
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line !== '');
}

/** False: it was told to stop. */
function waits(ms: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve(true);
    }, ms);
    function stop(): void {
      clearTimeout(timer);
      resolve(false);
    }
    signal.addEventListener('abort', stop, { once: true });
  });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
