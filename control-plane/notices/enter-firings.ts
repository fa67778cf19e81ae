// Sidecars tell how often rules have fired since they started; what is new of it is counted into the notices of this
// window. Totals, not differences: a call that is repeated, because its answer was lost, changes nothing.
import { type RuleNotices, waiverNamed } from '../../compiler/bundle/notice-terms.ts';
import type { Database } from '../store/database.ts';
import { countFiring, enterCount, waitingNotices } from '../store/notice-store.ts';
import { ruleWindow } from './notice.ts';

export interface FiringsContext {
  readonly database: Database;
  /** Who is told of which rules of a policy in force; undefined: no such policy. */
  readonly ruleNotices: (policy: string) => RuleNotices | undefined;
  readonly now: () => number;
  readonly newId: () => string;
  /** As many wait as may: so many firings are told to nobody. */
  readonly onFull: (policy: string) => void;
}

export interface FiringsReport {
  readonly policy: string;
  readonly node: string;
  /** One life of the sidecar: its totals begin at 0. */
  readonly incarnation: string;
  readonly firings: readonly { readonly rule: string; readonly total: number }[];
}

export class FiringsRefusal extends Error {
  readonly code = 'malformed';

  constructor(message: string) {
    super(message);
    this.name = 'FiringsRefusal';
  }
}

/** Rules in one report. */
export const FIRINGS_MAX = 256;
/** Notices of one policy that may wait; of those that do, counts go on. */
export const NOTICES_WAITING_MAX = 4_096;

/** Throws FiringsRefusal. What no policy in force tells of is passed over. */
export async function enterFirings(context: FiringsContext, report: FiringsReport): Promise<void> {
  const { policy, node, incarnation } = report;
  if (report.firings.length > FIRINGS_MAX) throw new FiringsRefusal(`a report names at most ${FIRINGS_MAX} rules`);
  if (!/^[0-9a-f]{32}$/.test(incarnation) || report.firings.some(({ total }) => !Number.isSafeInteger(total)))
    throw new FiringsRefusal('this is no report of firings');
  const notices = context.ruleNotices(policy);
  if (notices === undefined) return;
  const told = report.firings
    .flatMap(({ rule, total }) => {
      const recipients = notices.get(rule);
      return recipients === undefined ? [] : [{ rule, total, recipients }];
    })
    // In one order everywhere, so that two transactions never wait for each other in a circle.
    .sort((a, b) => (a.rule < b.rule ? -1 : 1));
  if (told.length === 0) return;
  const { database, now, newId, onFull } = context;
  await database.transaction(async (tx) => {
    const at = now();
    const window = ruleWindow(at);
    let waiting = await waitingNotices(tx, policy);
    for (const { rule, total, recipients } of told) {
      const count = await countFiring(tx, { policy, node, rule, incarnation, total, at });
      if (count === 0) continue;
      const waiver = waiverNamed(rule);
      for (const { recipient, webhook } of recipients) {
        const isEntered = await enterCount(tx, {
          id: newId(),
          subject: {
            policy,
            recipient,
            webhook,
            kind: waiver === undefined ? 'rule' : 'waiver',
            name: waiver ?? rule,
            percent: 0,
            from: window.from,
            to: window.to,
          },
          count,
          at,
          sentAt: window.sentAt,
          mayBeNew: waiting < NOTICES_WAITING_MAX,
        });
        if (isEntered === 'new') waiting++;
        if (isEntered === 'full') onFull(policy);
      }
    }
  });
}
