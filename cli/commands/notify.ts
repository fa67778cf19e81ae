/** `writ notify`: what recipients could not be told yet. */
import { NoticeDesk, type OpenNotice } from '../../proto/gen/writ/v1/notices_pb.ts';
import { type Command, CommandError, type ExitCode, parse, runVerb, type Verb, type World } from '../command.ts';
import { adminOptions, adminOptionsHelp, openAdmin } from '../connection.ts';
import { printable } from '../printable.ts';
import { textTable } from '../text-table.ts';

export const notify: Command = {
  name: 'notify',
  help: `usage: writ notify list [--policy NAME] [options]

What recipients of policies (\`notify\`) have not been told: it waits for its time, or for a webhook that does not answer, or it was given up.

  --policy NAME              only of this policy
${adminOptionsHelp}
  --json                     {"notices":[…]}

exit codes: 0 done, 2 usage or operation`,
  async run(args, world) {
    return runVerb(this, verbs, args, world);
  },
};

const verbs: { readonly [verb: string]: Verb } = { list };

async function list(args: readonly string[], world: World): Promise<ExitCode> {
  const { values, positionals } = parse(notify, args, {
    ...adminOptions,
    policy: { type: 'string' },
    json: { type: 'boolean', default: false },
  });
  if (positionals.length > 0) throw new CommandError('`writ notify list` takes no arguments');
  const client = openAdmin(values, world);
  try {
    const { notices } = await client.call(NoticeDesk.method.list, { policy: values.policy ?? '' });
    const documents = notices.map(documentOf);
    world.out(values.json ? `${JSON.stringify({ notices: documents }, null, 2)}\n` : listText(documents));
  } finally {
    client.close();
  }
  return 0;
}

interface NoticeDocument {
  readonly id: string;
  readonly policy: string;
  readonly recipient: string;
  readonly webhook: string;
  readonly about: string;
  readonly from: string;
  readonly to: string;
  readonly count: number;
  readonly state: string;
  readonly attempts: number;
  /** When it is tried next; null where it was given up. */
  readonly next: string | null;
  readonly failure: string | null;
}

function documentOf(notice: OpenNotice): NoticeDocument {
  const { id, policy, recipient, webhook, kind, name, percent, state, attempts, failure, addressed } = notice;
  return {
    id,
    policy,
    recipient,
    webhook,
    about: kind === 'budget' ? `budget ${name} at ${percent} percent` : `${kind} ${name}`,
    from: instant(notice.fromMs),
    to: instant(notice.toMs),
    count: Number(notice.count),
    state,
    attempts,
    next: state === 'waiting' ? instant(notice.nextAtMs) : null,
    failure: failure !== '' ? failure : addressed ? null : 'no_address',
  };
}

function instant(ms: bigint): string {
  return new Date(Number(ms)).toISOString();
}

function listText(notices: readonly NoticeDocument[]): string {
  if (notices.length === 0) return 'everybody has been told\n';
  return textTable(
    ['recipient', 'webhook', 'policy', 'about', 'times', 'state', 'tries', 'next', 'why'],
    notices.map(({ recipient, webhook, policy, about, count, state, attempts, next, failure }) => [
      recipient,
      printable(webhook),
      policy,
      about,
      String(count),
      state,
      String(attempts),
      next ?? '',
      failure ?? '',
    ]),
  );
}
