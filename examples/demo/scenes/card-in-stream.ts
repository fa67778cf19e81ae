/** A card number that a model says by itself, in a stream: masked before the first digit leaves. */
import { ask } from '../client.ts';
import { contentOf, documentsOf } from '../read-chat.ts';
import type { Scene } from '../scene.ts';

const CARD = '4111 1111 1111 1111';
/**
 * Makes the model say the number without it standing in the prompt: a regular expression with counts holds no card
 * number.
 */
const SAYS_CARD = { type: 'string', pattern: '^4{1}1{3} 1{4} 1{4} 1{4}$' };

export const cardInStream: Scene = {
  title: 'A card number that a model says, in a stream',
  story: "Rule `leaked_bank_data`: a model does not tell anybody's bank data. The number comes in pieces of one digit.",
  async play(stage, show) {
    const { gemma } = stage.upstreams;
    const mark = gemma.mark();
    show.says('Mia from marketing asks the model on our own machines, as a stream: "Tell me a card number."');
    const answer = await ask(stage.gateway, stage.tokens.mia, {
      model: 'gemma-3-270m',
      text: 'Tell me a card number.',
      maxTokens: 60,
      schema: SAYS_CARD,
      stream: true,
    });
    const [exchange] = gemma.since(mark);
    const reply = exchange?.reply.toString() ?? '';
    const frames = documentsOf(reply).filter((_, at) => contentOf(reply.split('\n\n')[at] ?? '') !== '').length;
    const said = contentOf(reply);
    const received = contentOf(answer.body);

    show.claim(
      !(exchange?.request.toString() ?? CARD).includes(CARD) && said.includes(CARD),
      'the model said a card number that nobody had told it',
      `the model streamed ${frames} pieces: ${oneLine(said)}`,
    );
    show.claim(
      answer.status === 200 && /\[PAYMENT_CARD\w*\]/.test(received) && !/4\D*1\D*1\D*1/.test(received),
      'Mia received the stream with the number masked',
      `Mia received: ${oneLine(received)}`,
    );
    show.claim(
      answer.body.trimEnd().endsWith('data: [DONE]'),
      'the stream ended as a stream of the protocol ends',
      `last frame: ${answer.body.trimEnd().split('\n').at(-1) ?? ''}`,
    );
  },
};

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
