/** Who is told of what: recipients of the language, with the webhook that each is told by. */
import type { Budget, Program, Rule } from '../../dsl/program.ts';
import type { Notified, NotifiedAt } from '../plan/notify.ts';
import { compareText } from '../plan/order.ts';

/** For a rule: absent where it tells nobody. */
export function notifyOf({ effects }: Rule, program: Program): { readonly notify?: readonly Notified[] } {
  return told(
    effects.flatMap((effect) => (effect.kind === 'notify' ? [effect.recipient] : [])),
    program,
  );
}

/** By name, each once; absent for nobody. */
export function told(recipients: readonly string[], program: Program): { readonly notify?: readonly Notified[] } {
  const notify = [...new Set(recipients)].sort(compareText).map((recipient) => notified(recipient, program));
  return notify.length === 0 ? {} : { notify };
}

/** Of a budget's thresholds those that tell somebody. */
export function notifiedAt(thresholds: Budget['thresholds'], program: Program): NotifiedAt[] {
  return thresholds.flatMap(({ percent, effect }) =>
    effect.kind === 'notify' ? [{ percent, ...notified(effect.recipient, program) }] : [],
  );
}

function notified(recipient: string, { recipients }: Program): Notified {
  const found = recipients.find(({ name }) => name === recipient);
  if (found === undefined) throw new RangeError(`the program has no recipient ${recipient}`);
  return { recipient, webhook: found.address };
}
