/** `writ review`: what waits for a reviewer, and their verdicts. */
import type { Hold } from '../../proto/gen/writ/v1/filter_reviews_pb.ts';
import { type Review, ReviewDesk } from '../../proto/gen/writ/v1/reviews_pb.ts';
import { type Command, CommandError, type ExitCode, onePath, parse, type World } from '../command.ts';
import { type AdminClient, controlPlaneAddress, openAdminAt } from '../connection.ts';
import { keysFolder, keysOption } from '../keys-option.ts';
import { textTable } from '../text-table.ts';

const text = { type: 'string' } as const;

export const review: Command = {
  name: 'review',
  help: `usage: writ review list [--policy NAME] [--all] [options]
       writ review show ID [options]
       writ review approve ID [--reason TEXT] [options]
       writ review reject ID --reason TEXT [options]

Requests that a rule holds (\`hold for review\`) wait for members of a group. Only what a group of yours is asked for is shown, with every value masked that the policy's detectors find.
A verdict is kept with your name, the time and the reason, and is never changed. One rejection is enough; nobody answers their own request.

list     what waits, oldest first; --all: also what was answered, used, or is over
show     what a request says, who asks, and every verdict
approve  the caller may send the same request once more
reject   it is denied

  --reviewer NAME            whose certificate is shown (\`writ keys reviewer\`); usual: reviewer
  --control-plane HOST:PORT  usual: the environment variable WRIT_CONTROL_PLANE, else localhost:8443
  --keys DIR                 usual: the environment variable WRIT_KEYS
  --json                     print what is shown as JSON: list {"reviews":[…]}, else one review

exit codes: 0 done, 2 usage or operation`,
  async run(args, world) {
    const [verb = '', ...rest] = args;
    const action = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
    if (action === undefined)
      throw new CommandError(
        `\`writ review\` takes one of ${Object.keys(verbs)
          .map((each) => `\`${each}\``)
          .join(', ')}`,
        '`writ review --help` shows how',
      );
    return action(rest, world);
  },
};

type Verb = (args: readonly string[], world: World) => Promise<ExitCode>;

const verbs: { readonly [verb: string]: Verb } = {
  list,
  show,
  approve: (args, world) => decide(true, args, world),
  reject: (args, world) => decide(false, args, world),
};

const options = {
  ...keysOption,
  'control-plane': text,
  reviewer: text,
  json: { type: 'boolean', default: false },
} as const;

interface Values {
  readonly keys?: string | undefined;
  readonly 'control-plane'?: string | undefined;
  readonly reviewer?: string | undefined;
}

async function list(args: readonly string[], world: World): Promise<ExitCode> {
  const { values, positionals } = parse(review, args, {
    ...options,
    policy: text,
    all: { type: 'boolean', default: false },
  });
  if (positionals.length > 0) throw new CommandError('`writ review list` takes no arguments');
  const { reviews } = await asReviewer(values, world, (client) =>
    client.call(ReviewDesk.method.list, { policy: values.policy ?? '', all: values.all }),
  );
  const documents = reviews.map(documentOf);
  world.out(values.json ? `${JSON.stringify({ reviews: documents }, null, 2)}\n` : listText(documents));
  return 0;
}

async function show(args: readonly string[], world: World): Promise<ExitCode> {
  const { values, positionals } = parse(review, args, options);
  const id = idOf('show', positionals);
  return print(await asReviewer(values, world, (client) => client.call(ReviewDesk.method.show, { id })), values, world);
}

async function decide(approve: boolean, args: readonly string[], world: World): Promise<ExitCode> {
  const { values, positionals } = parse(review, args, { ...options, reason: text });
  const id = idOf(approve ? 'approve' : 'reject', positionals);
  if (!approve && (values.reason ?? '') === '')
    throw new CommandError('who rejects says why', 'add `--reason TEXT`: it is kept with the verdict');
  const decided = await asReviewer(values, world, (client) =>
    client.call(ReviewDesk.method.decide, { id, approve, reason: values.reason ?? '' }),
  );
  return print(decided, values, world);
}

function print(found: Review, { json }: { readonly json: boolean }, world: World): ExitCode {
  const document = documentOf(found);
  world.out(json ? `${JSON.stringify(document, null, 2)}\n` : reviewText(document));
  return 0;
}

async function asReviewer<T>(values: Values, world: World, call: (client: AdminClient) => Promise<T>): Promise<T> {
  const client = openAdminAt(controlPlaneAddress(values['control-plane'], world), keysFolder(values, world), {
    kind: 'reviewer',
    name: values.reviewer ?? 'reviewer',
  });
  try {
    return await call(client);
  } finally {
    client.close();
  }
}

function idOf(verb: string, positionals: readonly string[]): bigint {
  const id = onePath({ name: `review ${verb}` }, positionals, 'ID');
  if (!/^[1-9]\d{0,15}$/.test(id))
    throw new CommandError(`\`${id}\` is no number of a review`, '`writ review list` shows them');
  return BigInt(id);
}

interface ReviewDocument {
  readonly id: number;
  readonly policy: string;
  readonly caller: string;
  readonly model: string;
  readonly state: string;
  readonly holds: readonly {
    readonly rule: string;
    readonly reviewers: string;
    readonly group: string;
    readonly approvals: number;
  }[];
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly usedAt: string | null;
  /** Null in a list, and once the text is not kept any more. */
  readonly messages: readonly Message[] | null;
  readonly cut: boolean;
  readonly verdicts: readonly {
    readonly reviewer: string;
    readonly verdict: 'approve' | 'reject';
    readonly reason: string;
    readonly at: string;
  }[];
}

interface Message {
  readonly role: string;
  readonly content: string;
}

function documentOf(found: Review): ReviewDocument {
  return {
    id: Number(found.id),
    policy: found.policy,
    caller: found.callerId,
    model: found.model,
    state: found.state,
    holds: found.holds.map(({ rule, reviewers, group, approvals }: Hold) => ({ rule, reviewers, group, approvals })),
    createdAt: instant(found.createdAtMs),
    expiresAt: instant(found.expiresAtMs),
    usedAt: found.usedAtMs === 0n ? null : instant(found.usedAtMs),
    messages: found.messages === '' ? null : (JSON.parse(found.messages) as readonly Message[]),
    cut: found.cut,
    verdicts: found.verdicts.map(({ reviewer, approve, reason, atMs }) => ({
      reviewer,
      verdict: approve ? 'approve' : 'reject',
      reason,
      at: instant(atMs),
    })),
  };
}

function listText(reviews: readonly ReviewDocument[]): string {
  if (reviews.length === 0) return 'nothing waits for you\n';
  return textTable(
    ['id', 'policy', 'asked by', 'held by', 'state', 'until'],
    reviews.map(({ id, policy, caller, holds, state, expiresAt }) => [
      String(id),
      policy,
      printable(caller),
      holds.map(({ rule }) => rule).join(', '),
      state,
      expiresAt,
    ]),
  );
}

function reviewText(found: ReviewDocument): string {
  const holds = found.holds.map(
    ({ rule, reviewers, group, approvals }) => `held by \`${rule}\`: ${approvals} of ${reviewers} (group ${group})\n`,
  );
  const messages = (found.messages ?? []).map(({ role, content }) => `\n${role}:\n${printable(content)}\n`);
  const verdicts = found.verdicts.map(
    ({ reviewer, verdict, reason, at }) =>
      `${at} ${reviewer}: ${verdict}${reason === '' ? '' : `, because: ${printable(reason)}`}\n`,
  );
  return [
    `review ${found.id} of \`${found.policy}\` is ${found.state}, until ${found.expiresAt}\n`,
    `asked by ${printable(found.caller)}, for the model \`${found.model}\`\n`,
    ...holds,
    ...(found.usedAt === null ? [] : [`passed at ${found.usedAt}\n`]),
    ...messages,
    ...(found.cut ? ['\nThere is more than is shown: it was cut at 64 KiB.\n'] : []),
    ...(verdicts.length === 0 ? [] : ['\n', ...verdicts]),
  ].join('');
}

/** What clients wrote must not drive a terminal. */
function printable(written: string): string {
  return written.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}

function instant(ms: bigint): string {
  return new Date(Number(ms)).toISOString();
}
