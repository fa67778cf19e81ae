/** A budget under concurrency: never overshot, and nearly used up. */
import { ask } from '../client.ts';
import { errorOf } from '../read-chat.ts';
import { spentMicros, usd } from '../prices.ts';
import type { Scene } from '../scene.ts';
import type { Stage } from '../stage.ts';

const CLIENTS = 16;
const MAX_TOKENS = 60;
/** The end of a run that would not end. */
const REQUESTS_MAX = 400;
/** What a settled exchange gives back reaches the accounts a moment after the client has its answer. */
const SETTLE_MS = 400;

export const trialBudget: Scene = {
  title: 'A budget that sixteen clients hit',
  story: 'Budget `trial_day`: accounts on trial spend at most 0.02 usd a day together, however many ask at once.',
  async play(stage, show) {
    const { frontier } = stage.upstreams;
    const cap = stage.policy.budgetLimit('trial_day');
    const mark = frontier.mark();
    show.says(`${CLIENTS} programs of Tess, on trial, ask the frontier model at once until nothing is left`);
    const run = await exhaust(stage);
    const exchanges = frontier.since(mark);
    const spent = spentMicros(exchanges, stage.policy.model('frontier').price);
    const percent = Number((spent * 1_000n) / cap) / 10;
    show.claim(
      run.allowed > 0 && run.denied > 0 && run.others.length === 0,
      'some requests were allowed, some denied, none failed',
      `${run.allowed} allowed, ${run.denied} denied${run.others.length > 0 ? `, others: ${run.others.join(' ')}` : `: "${run.reason}"`}`,
    );
    show.claim(
      spent <= cap,
      'what the model says was used stays within the cap',
      `${usd(spent)} of ${usd(cap)}, from the usage in ${exchanges.length} replies of the model`,
    );
    show.claim(spent * 10n >= cap * 9n, 'and at least 90% of the cap was used', `${percent}%`);
  },
};

interface Run {
  allowed: number;
  denied: number;
  others: number[];
  reason: string;
}

/**
 * Every client asks again and again; one that is denied waits until another exchange has ended, for that may have given
 * something back. Ends when all are denied and nothing is in flight.
 */
async function exhaust(stage: Stage): Promise<Run> {
  const run: Run = { allowed: 0, denied: 0, others: [], reason: '' };
  let asked = 0;
  let inFlight = 0;
  let isOver = false;
  let wake: (() => void)[] = [];
  const wakeAll = (): void => {
    const waiting = wake;
    wake = [];
    for (const each of waiting) each();
  };
  const one = async (): Promise<boolean> => {
    asked++;
    inFlight++;
    const answer = await ask(stage.gateway, stage.tokens.tess, {
      model: 'frontier-1',
      text: 'Tell me a story.',
      maxTokens: MAX_TOKENS,
    }).finally(() => inFlight--);
    if (answer.status === 200) run.allowed++;
    else if (answer.status === 429) run.denied++;
    else run.others.push(answer.status);
    if (answer.status === 429) run.reason = errorOf(answer.body);
    return answer.status === 200;
  };
  const client = async (): Promise<void> => {
    while (!isOver && asked < REQUESTS_MAX) {
      if (await one()) {
        wakeAll();
        continue;
      }
      if (inFlight > 0) {
        await new Promise<void>((resolve) => wake.push(resolve));
        continue;
      }
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      if (inFlight > 0 || (await one())) continue;
      isOver = inFlight === 0;
      wakeAll();
    }
    wakeAll();
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return run;
}
