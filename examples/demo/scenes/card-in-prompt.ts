/** A card number on its way to the external model: masked there, restored in the answer. */
import { ask } from '../client.ts';
import { contentOf } from '../read-chat.ts';
import type { Scene } from '../scene.ts';

const CARD = '4111 1111 1111 1111';
const QUESTION = `My card ${CARD} was charged twice. Note it.`;
/**
 * The model is made to repeat the number, so that the way back is seen as well. What stands here is text of the prompt
 * too, and masked with it. One string and no object: a schema's grammar lets a model fill the space between an object's
 * parts, and a small model fills it with all the tokens that it may use.
 */
const REPEATS = { const: `Noted: ${CARD}.` };
const PLACEHOLDER = /\[PAYMENT_CARD_1_[0-9a-z]+\]/gi;

export const cardInPrompt: Scene = {
  title: 'A card number in a prompt',
  story: 'Rule `mask_personal`: personal data is replaced before it leaves our network, and put back in the answer.',
  async play(stage, show) {
    const { frontier, gemma } = stage.upstreams;
    const marks = { frontier: frontier.mark(), gemma: gemma.mark() };
    show.says(`Sam from support asks the external model: "${QUESTION}"`);
    const answer = await ask(stage.gateway, stage.tokens.sam, {
      model: 'frontier-1',
      text: QUESTION,
      maxTokens: 200,
      schema: REPEATS,
    });
    const received = frontier.since(marks.frontier);
    const request = received[0]?.request.toString() ?? '';
    const reply = received[0]?.reply.toString() ?? '';
    const placeholders = new Set(request.match(PLACEHOLDER) ?? []);
    const [placeholder = 'none'] = placeholders;

    show.claim(
      received.length === 1 && gemma.since(marks.gemma).length === 0 && !holdsCard(request) && placeholders.size === 1,
      'the external model received a placeholder in place of the number',
      `received: "${promptOf(request)}"`,
    );
    show.claim(
      reply.includes(placeholder) && !holdsCard(reply),
      'the external model answered with the placeholder',
      `answered: ${contentOf(reply).replaceAll(/\s+/g, ' ')}`,
    );
    const content = contentOf(answer.body);
    show.claim(
      answer.status === 200 && content.includes(CARD) && content.match(PLACEHOLDER) === null,
      'Sam reads the number again',
      `Sam received: ${content.replaceAll(/\s+/g, ' ')}`,
    );
  },
};

function holdsCard(text: string): boolean {
  return text.replaceAll(/[^0-9]/g, '').includes(CARD.replaceAll(' ', ''));
}

function promptOf(request: string): string {
  return /"content":"([^"]*)"/.exec(request)?.[1] ?? request.slice(0, 100);
}
