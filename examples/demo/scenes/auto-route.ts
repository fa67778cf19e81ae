/** `auto`: who asks does not choose, the policy does, by how much thought the question seems to need. */
import { ask, type Question } from '../client.ts';
import { usageOf } from '../read-chat.ts';
import { costMicros, usd } from '../prices.ts';
import type { Scene, Show } from '../scene.ts';
import type { ModelName, Stage } from '../stage.ts';

const SMALL = 'What is the capital of Portugal?';
const HARD =
  'Compare leasing and buying delivery vans over five years, explain the trade-offs, derive the break-even mileage step by step, and recommend one: 30,000 to buy, 520 a month to lease, 19 percent tax.';

export const autoRoute: Scene = {
  title: '`auto` chooses the model',
  story: 'Route `auto`: small questions go to the small model on our own machines, hard ones to the frontier model.',
  async play(stage, show) {
    const small = await routed(stage, show, SMALL);
    const hard = await routed(stage, show, HARD);
    show.claim(
      small.model === 'gemma',
      'the small question went to the small model',
      `${small.upstream}; cost ${usd(small.cost)}`,
    );
    show.claim(
      hard.model === 'frontier',
      'the hard question went to the frontier model',
      `${hard.upstream}; cost ${usd(hard.cost)}`,
    );
  },
};

async function routed(stage: Stage, show: Show, text: string) {
  const models = ['gemma', 'frontier'] as const satisfies readonly ModelName[];
  const marks = models.map((name) => stage.upstreams[name].mark());
  const question: Question = { model: 'auto', text, maxTokens: 16 };
  show.says(`Finn from finance asks \`auto\`: "${text.length > 80 ? `${text.slice(0, 80)}…` : text}"`);
  const answer = await ask(stage.gateway, stage.tokens.finn, question);
  const received = models.flatMap((name, at) =>
    stage.upstreams[name].since(marks[at] ?? 0).map((exchange) => ({ name, exchange })),
  );
  const [first, ...others] = received;
  if (answer.status !== 200 || first === undefined || others.length > 0)
    throw new Error(`the question was answered with ${answer.status} and reached ${received.length} models`);
  const usage = usageOf(first.exchange.reply.toString());
  if (usage === undefined) throw new Error('the reply names no usage');
  const wanted = /"model":"([^"]*)"/.exec(first.exchange.request.toString())?.[1] ?? '';
  return {
    model: wanted === stage.policy.model(first.name).wire ? first.name : `${first.name}, asked for ${wanted}`,
    upstream: `\`${wanted}\` received it, ${usage.input} tokens in, ${usage.output} out`,
    cost: costMicros(usage, stage.policy.model(first.name).price),
  };
}
