/** A prompt that no model is cleared for: denied, and the denial says why. */
import { ask } from '../client.ts';
import { errorOf } from '../read-chat.ts';
import type { Scene } from '../scene.ts';

const QUESTION = 'Write a reference for Jane Roe, SSN 536-90-4399.';

export const noModelLeft: Scene = {
  title: 'A restricted prompt',
  story:
    'Rules `classify` and `clearance`: a social security number makes a prompt restricted, and no model is cleared for that.',
  async play(stage, show) {
    const { frontier, gemma } = stage.upstreams;
    const marks = [frontier.mark(), gemma.mark()] as const;
    show.says(`Finn from finance asks: "${QUESTION}"`);
    const answer = await ask(stage.gateway, stage.tokens.finn, { model: 'frontier-1', text: QUESTION, maxTokens: 8 });
    const reached = frontier.since(marks[0]).length + gemma.since(marks[1]).length;
    const message = errorOf(answer.body);
    show.claim(
      answer.status === 403 && reached === 0,
      'the prompt reached no model',
      `${answer.status}; ${reached} upstream requests`,
    );
    show.claim(
      message.includes('clearance') && !message.includes('536'),
      'the denial says which rule left no model, and repeats nothing of the prompt',
      `"${message.replaceAll(/\s+/g, ' ')}"`,
    );
  },
};
