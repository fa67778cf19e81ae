/** `writ record`: exchanges that a rule keeps for a time, and who has read them. */
import type { ExchangeRecord } from '../../proto/gen/writ/v1/records_pb.ts';
import { RecordDesk } from '../../proto/gen/writ/v1/records_pb.ts';
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

export const record: Command = {
  name: 'record',
  help: `usage: writ record list [--policy NAME] [--caller ID] [options]
       writ record show ID [options]
       writ record export [--policy NAME] [--caller ID] [options]
       writ record reads [--policy NAME] [options]

Exchanges that a rule keeps (\`record exchange for …\`), with every value masked that the policy's detectors find, until their time is over. Whoever reads them is kept: name, time, and what was read.

list    which there are, oldest first
show    what one says
export  all of them, one JSON document a line
reads   who has read what, newest first

  --caller ID                only of this caller
  --admin NAME               whose certificate is shown; usual: admin
  --control-plane HOST:PORT  usual: the environment variable WRIT_CONTROL_PLANE, else localhost:8443
  --keys DIR                 usual: the environment variable WRIT_KEYS
  --json                     print what is shown as JSON: list {"records":[…]}, reads {"reads":[…]}, show one record, export what it always prints

exit codes: 0 done, 2 usage or operation`,
  async run(args, world) {
    return runVerb(this, verbs, args, world);
  },
};

const verbs: { readonly [verb: string]: Verb } = { list, show, export: exportRecords, reads };

const options = {
  ...keysOption,
  'control-plane': text,
  admin: text,
  json: { type: 'boolean', default: false },
} as const;

interface Values {
  readonly keys?: string | undefined;
  readonly 'control-plane'?: string | undefined;
  readonly admin?: string | undefined;
}

async function list(args: readonly string[], world: World): Promise<ExitCode> {
  const { values } = parsed('list', args, { ...options, policy: text, caller: text });
  const records: RecordDocument[] = [];
  await eachPage(values, world, false, (page) => records.push(...page));
  world.out(values.json ? `${JSON.stringify({ records }, null, 2)}\n` : listText(records));
  return 0;
}

async function exportRecords(args: readonly string[], world: World): Promise<ExitCode> {
  const { values } = parsed('export', args, { ...options, policy: text, caller: text });
  await eachPage(values, world, true, (page) => {
    for (const each of page) world.out(`${JSON.stringify(each)}\n`);
  });
  return 0;
}

async function show(args: readonly string[], world: World): Promise<ExitCode> {
  const { values, positionals } = parse(record, args, options);
  const id = onePath({ name: 'record show' }, positionals, 'ID');
  if (!/^[1-9]\d{0,15}$/.test(id))
    throw new CommandError(`\`${id}\` is no number of a record`, '`writ record list` shows them');
  const found = documentOf(
    await asAdmin(values, world, (client) => client.call(RecordDesk.method.show, { id: BigInt(id) })),
  );
  world.out(values.json ? `${JSON.stringify(found, null, 2)}\n` : recordText(found));
  return 0;
}

async function reads(args: readonly string[], world: World): Promise<ExitCode> {
  const { values } = parsed('reads', args, { ...options, policy: text });
  const reply = await asAdmin(values, world, (client) =>
    client.call(RecordDesk.method.reads, { policy: values.policy ?? '' }),
  );
  const found = reply.reads.map(({ reader, verb, policy, record: id, count, atMs }) => ({
    reader,
    verb,
    policy: policy === '' ? null : policy,
    record: id === 0n ? null : Number(id),
    count,
    at: instant(atMs),
  }));
  if (values.json) world.out(`${JSON.stringify({ reads: found }, null, 2)}\n`);
  else if (found.length === 0) world.out('nobody has read any\n');
  else
    world.out(
      textTable(
        ['at', 'reader', 'what', 'policy', 'records'],
        found.map(({ at, reader, verb, policy, record: id, count }) => [
          at,
          reader,
          verb,
          policy ?? 'all',
          id === null ? String(count) : `number ${id}`,
        ]),
      ),
    );
  return 0;
}

function parsed<const T extends Parameters<typeof parse>[2]>(verb: string, args: readonly string[], all: T) {
  const result = parse(record, args, all);
  if (result.positionals.length > 0) throw new CommandError(`\`writ record ${verb}\` takes no arguments`);
  return result;
}

async function eachPage(
  values: Values & { readonly policy?: string | undefined; readonly caller?: string | undefined },
  world: World,
  withTexts: boolean,
  take: (page: readonly RecordDocument[]) => void,
): Promise<void> {
  await asAdmin(values, world, async (client) => {
    for (let after = 0n, isLast = false; !isLast;) {
      const page = await client.call(RecordDesk.method.read, {
        policy: values.policy ?? '',
        callerId: values.caller ?? '',
        after,
        export: withTexts,
      });
      take(page.records.map(documentOf));
      isLast = page.next === 0n;
      after = page.next;
    }
  });
}

async function asAdmin<T>(values: Values, world: World, call: (client: AdminClient) => Promise<T>): Promise<T> {
  const client = openAdminAt(controlPlaneAddress(values['control-plane'], world), keysFolder(values, world), {
    kind: 'admin',
    name: values.admin ?? 'admin',
  });
  try {
    return await call(client);
  } finally {
    client.close();
  }
}

interface RecordDocument {
  readonly id: number;
  readonly policy: string;
  readonly exchange: string;
  readonly node: string;
  readonly caller: string;
  readonly model: string;
  readonly rules: readonly string[];
  readonly at: string;
  readonly deletedAt: string;
  readonly denied: boolean;
  readonly cut: boolean;
  /** False: its end was not told, yet or ever. */
  readonly ended: boolean;
  /** Null in a list. */
  readonly messages: readonly { readonly role: string; readonly content: string }[] | null;
}

function documentOf(found: ExchangeRecord): RecordDocument {
  const said = (json: string): NonNullable<RecordDocument['messages']> =>
    json === '' ? [] : (JSON.parse(json) as NonNullable<RecordDocument['messages']>);
  return {
    id: Number(found.id),
    policy: found.policy,
    exchange: Buffer.from(found.exchange).toString('hex'),
    node: found.node,
    caller: found.callerId,
    model: found.model,
    rules: found.rules,
    at: instant(found.atMs),
    deletedAt: instant(found.deleteAtMs),
    denied: found.denied,
    cut: found.cut,
    ended: found.ended,
    messages: found.prompt === '' ? null : [...said(found.prompt), ...said(found.reply)],
  };
}

function listText(records: readonly RecordDocument[]): string {
  if (records.length === 0) return 'nothing is kept\n';
  return textTable(
    ['id', 'policy', 'at', 'caller', 'model', 'by rule', 'deleted at'],
    records.map(({ id, policy, at, caller, model, rules, deletedAt }) => [
      String(id),
      policy,
      at,
      printable(caller),
      model,
      rules.join(', '),
      deletedAt,
    ]),
  );
}

function recordText(found: RecordDocument): string {
  return [
    `record ${found.id} of \`${found.policy}\`, ${found.at}; deleted at ${found.deletedAt}\n`,
    `asked by ${printable(found.caller)}, for the model \`${found.model}\`, through the sidecar \`${found.node}\`\n`,
    `kept by ${found.rules.map((rule) => `\`${rule}\``).join(', ')}\n`,
    ...(found.denied ? ['the policy denied it\n'] : []),
    ...(found.ended ? [] : ['its end was not told\n']),
    ...(found.messages ?? []).map(({ role, content }) => `\n${role}:\n${printable(content)}\n`),
    ...(found.cut ? ['\nThere is more than is shown: it was cut at 64 KiB.\n'] : []),
  ].join('');
}

function instant(ms: bigint): string {
  return new Date(Number(ms)).toISOString();
}
