/** `writ review`: what waits for a reviewer, their verdicts, and the data set that they make. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Hold } from '../../proto/gen/writ/v1/filter_reviews_pb.ts';
import { type Review, ReviewDesk } from '../../proto/gen/writ/v1/reviews_pb.ts';
import {
  type Command,
  CommandError,
  type ExitCode,
  onePath,
  parse,
  runVerb,
  type Verb,
  type World,
} from '../command.ts';
import { type AdminClient, controlPlaneAddress, openAdminAt } from '../connection.ts';
import { keysFolder, keysOption } from '../keys-option.ts';
import { printable } from '../printable.ts';
import { textTable } from '../text-table.ts';

const text = { type: 'string' } as const;

export const review: Command = {
  name: 'review',
  help: `usage: writ review list [--policy NAME] [--all] [options]
       writ review show ID [options]
       writ review approve ID [--reason TEXT] [--correction FILE] [options]
       writ review reject ID --reason TEXT [--correction FILE] [options]
       writ review export [--policy NAME] [options]

Requests that a rule holds (\`hold for review\`) wait for members of a group. Samples (\`sample … for review\`) are exchanges that are over: nothing waits for them. Only what a group of yours is asked for is shown, with every value masked that the policy's detectors find.
A verdict is kept with your name, the time and the reason, and is never changed. One rejection is enough; nobody answers their own request.

list     what waits, oldest first; --all: also what was answered, used, or is over
show     what a request says, who asks, and every verdict; of a sample also what the model said
approve  the caller may send the same request once more; of a sample: it was as it should be
reject   it is denied; of a sample: it was not
export   samples that somebody has judged, one JSON document a line: {"messages":[…],"review":{…}}, as chat models are trained with. The last message is the correction, where there is one, else what the model said; of a rejected sample without a correction it has the weight 0

  --correction FILE          of a sample: what should have been answered, as text
  --reviewer NAME            whose certificate is shown (\`writ keys reviewer\`); usual: reviewer
  --control-plane HOST:PORT  usual: the environment variable WRIT_CONTROL_PLANE, else localhost:8443
  --keys DIR                 usual: the environment variable WRIT_KEYS
  --json                     print what is shown as JSON: list {"reviews":[…]}, export what it always prints, else one review

exit codes: 0 done, 2 usage or operation`,
  async run(args, world) {
    return runVerb(this, verbs, args, world);
  },
};

const verbs: { readonly [verb: string]: Verb } = {
  list,
  show,
  approve: (args, world) => decide(true, args, world),
  reject: (args, world) => decide(false, args, world),
  export: exportSamples,
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
  const { values, positionals } = parse(review, args, { ...options, reason: text, correction: text });
  const id = idOf(approve ? 'approve' : 'reject', positionals);
  if (!approve && (values.reason ?? '') === '')
    throw new CommandError('who rejects says why', 'add `--reason TEXT`: it is kept with the verdict');
  const decided = await asReviewer(values, world, (client) =>
    client.call(ReviewDesk.method.decide, {
      id,
      approve,
      reason: values.reason ?? '',
      correction: values.correction === undefined ? '' : readText(values.correction, world),
    }),
  );
  return print(decided, values, world);
}

function readText(path: string, { cwd }: World): string {
  try {
    return readFileSync(resolve(cwd, path), 'utf8');
  } catch {
    throw new CommandError(`\`${path}\` cannot be read`);
  }
}

async function exportSamples(args: readonly string[], world: World): Promise<ExitCode> {
  const { values, positionals } = parse(review, args, { ...options, policy: text });
  if (positionals.length > 0) throw new CommandError('`writ review export` takes no arguments');
  await asReviewer(values, world, async (client) => {
    for (let after = 0n, isLast = false; !isLast;) {
      const page = await client.call(ReviewDesk.method.export, { policy: values.policy ?? '', after });
      for (const sample of page.reviews) world.out(`${JSON.stringify(exampleOf(documentOf(sample)))}\n`);
      isLast = page.next === 0n;
      after = page.next;
    }
  });
  return 0;
}

/** One line of a data set in the form in which chat models are trained, and what was said of it. */
function exampleOf(found: ReviewDocument): object {
  const { id, policy, model, holds, denied, cut, createdAt, verdicts, state } = found;
  const correction = verdicts.findLast((verdict) => verdict.correction !== null)?.correction ?? null;
  const said = found.reply?.[0]?.content ?? null;
  const isUnwanted = correction === null && verdicts.some(({ verdict }) => verdict === 'reject');
  const answer = correction ?? said;
  return {
    messages: [
      ...(found.messages ?? []),
      ...(answer === null ? [] : [{ role: 'assistant', content: answer, ...(isUnwanted ? { weight: 0 } : {}) }]),
    ],
    review: {
      id,
      policy,
      model,
      rules: holds.map(({ rule }) => rule),
      state,
      denied,
      cut,
      createdAt,
      verdicts,
      reply: found.reply,
    },
  };
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
  readonly kind: 'hold' | 'sample';
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
  /** Of a sample: what the model said, if anything. */
  readonly reply: readonly Message[] | null;
  readonly denied: boolean;
  readonly cut: boolean;
  readonly verdicts: readonly {
    readonly reviewer: string;
    readonly verdict: 'approve' | 'reject';
    readonly reason: string;
    readonly at: string;
    readonly correction: string | null;
  }[];
}

interface Message {
  readonly role: string;
  readonly content: string;
}

function documentOf(found: Review): ReviewDocument {
  return {
    id: Number(found.id),
    kind: found.kind === 'sample' ? 'sample' : 'hold',
    policy: found.policy,
    caller: found.callerId,
    model: found.model,
    state: found.state,
    holds: found.holds.map(({ rule, reviewers, group, approvals }: Hold) => ({ rule, reviewers, group, approvals })),
    createdAt: instant(found.createdAtMs),
    expiresAt: instant(found.expiresAtMs),
    usedAt: found.usedAtMs === 0n ? null : instant(found.usedAtMs),
    messages: messagesOf(found.messages),
    reply: messagesOf(found.reply),
    denied: found.denied,
    cut: found.cut,
    verdicts: found.verdicts.map(({ reviewer, approve, reason, atMs, correction }) => ({
      reviewer,
      verdict: approve ? 'approve' : 'reject',
      reason,
      at: instant(atMs),
      correction: correction === '' ? null : correction,
    })),
  };
}

function messagesOf(json: string): readonly Message[] | null {
  return json === '' ? null : (JSON.parse(json) as readonly Message[]);
}

function listText(reviews: readonly ReviewDocument[]): string {
  if (reviews.length === 0) return 'nothing waits for you\n';
  return textTable(
    ['id', 'kind', 'policy', 'asked by', 'by rule', 'state', 'until'],
    reviews.map(({ id, kind, policy, caller, holds, state, expiresAt }) => [
      String(id),
      kind,
      policy,
      printable(caller),
      holds.map(({ rule }) => rule).join(', '),
      state,
      expiresAt,
    ]),
  );
}

function reviewText(found: ReviewDocument): string {
  const isSample = found.kind === 'sample';
  const holds = found.holds.map(
    ({ rule, reviewers, group, approvals }) =>
      `${isSample ? 'drawn' : 'held'} by \`${rule}\`: ${approvals} of ${reviewers} (group ${group})\n`,
  );
  const messages = [...(found.messages ?? []), ...(found.reply ?? [])].map(
    ({ role, content }) => `\n${role}:\n${printable(content)}\n`,
  );
  const verdicts = found.verdicts.map(
    ({ reviewer, verdict, reason, at, correction }) =>
      `${at} ${reviewer}: ${verdict}${reason === '' ? '' : `, because: ${printable(reason)}`}\n${correction === null ? '' : `instead:\n${printable(correction)}\n`}`,
  );
  return [
    `${isSample ? 'sample' : 'review'} ${found.id} of \`${found.policy}\` is ${found.state}, until ${found.expiresAt}\n`,
    `asked by ${printable(found.caller)}, for the model \`${found.model}\`\n`,
    ...holds,
    ...(found.denied ? ['the policy denied it\n'] : []),
    ...(found.usedAt === null ? [] : [`passed at ${found.usedAt}\n`]),
    ...messages,
    ...(found.cut ? ['\nThere is more than is shown: it was cut at 64 KiB.\n'] : []),
    ...(verdicts.length === 0 ? [] : ['\n', ...verdicts]),
  ].join('');
}

function instant(ms: bigint): string {
  return new Date(Number(ms)).toISOString();
}
