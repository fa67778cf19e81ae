// The control plane's ledger in a process of its own, to be killed: takes and settles without end, and prints the
// answer to each call once it is committed. Arguments: the folder of the database.
import { create } from '@bufbuild/protobuf';
import { leaseCall } from '../../control-plane/budgets/lease-calls.ts';
import { openPglite } from '../../control-plane/store/open-pglite.ts';
import { sqlLedger } from '../../control-plane/store/sql-ledger.ts';
import { TakeRequestSchema } from '../../proto/gen/writ/v1/leases_pb.ts';

const [folder = ''] = process.argv.slice(2);
const store = sqlLedger(await openPglite(folder));
const context = {
  store,
  termsOf: () =>
    new Map([['team', { name: 'team', limit: 1_000_000, period: 'year' as const, timeZone: 'UTC', each: false }]]),
  now: () => Date.now(),
  onOverrun: () => undefined,
  onExpired: () => undefined,
};
let spent = 0;
for (let seq = 1; ; seq++) {
  const caller = { policy: 'acme', incarnation: '0'.repeat(32), seq: BigInt(seq) };
  const reply = await leaseCall(context, 'n1', {
    kind: 'take',
    request: create(TakeRequestSchema, {
      caller,
      needs: [{ budget: 'team', micros: 10n }],
      spent: seq === 1 ? [] : [{ lease: 1n, totalMicros: BigInt(spent) }],
    }),
  });
  process.stdout.write(`${JSON.stringify({ seq, spent, granted: Number(reply.leases.at(-1)?.grantedTotalMicros) })}\n`);
  spent += 7;
}
