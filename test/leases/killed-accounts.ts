// A sidecar's accounts in a process of their own, to be killed: reserves as fast as it can and prints each reservation
// once it is made. Arguments: the folder of the journal.
import { openBudgetAccounts } from '../../filters/sidecar/budgets/open-budget-accounts.ts';

const [folder = ''] = process.argv.slice(2);
const accounts = openBudgetAccounts({
  folder,
  policy: 'acme',
  caller: {
    call: async (_, call) =>
      call.method === 'take'
        ? [
            {
              budget: 'team',
              status: 'active',
              lease: 1,
              granted: 1_000_000,
              ttlMs: 60_000,
              windowLeftMs: 3_600_000,
              window: 'day/x',
              limit: 1_000_000,
              unleased: 0,
            },
          ]
        : [],
  },
  alarm: () => undefined,
});
await accounts.ready(['team']);
for (let index = 0; ; index++) {
  if (accounts.reserve(`${process.pid}/${index}`, [{ budget: 'team', amount: 3 }]).kind !== 'reserved') break;
  if (index % 2 === 0) accounts.settle(`${process.pid}/${index}`, [{ budget: 'team', actual: 2 }]);
  process.stdout.write(`${index}\n`);
  if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
}
