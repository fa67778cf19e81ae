// One contender in a process of its own: its id in the first argument, questions as ask-child.ts has them.
import { answer } from '../ask-child.ts';
import type { PromptFacts } from './contender.ts';
import { contenders } from './contenders.ts';

export interface DecideQuestion {
  readonly facts: PromptFacts;
  /** Time it for so long; without it, only decide. */
  readonly seconds?: number;
}

const id = process.argv[2];
const contender = contenders.find((each) => each.id === id);
if (contender === undefined) throw new Error(`there is no contender ${id}`);
const decider = await contender.load();
await answer({}, (question) => {
  const { facts, seconds } = question as DecideQuestion;
  return seconds === undefined ? decider.verdict(facts) : decider.microseconds(facts, seconds);
});
