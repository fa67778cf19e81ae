// A fast upstream in a process of its own: answers every request with the same chat completion, plain or streamed.
// Prints its port.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const usage = { prompt_tokens: 400, completion_tokens: 60, total_tokens: 460 };
const words = 'The weather is fine today, and it will be fine tomorrow, as far as anybody can say.';
const plain = Buffer.from(
  JSON.stringify({
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: words }, finish_reason: 'stop' }],
    usage,
  }),
);
const frame = (choices: readonly object[], more: object = {}): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices, ...more })}\n\n`;
const frames = [
  ...words.split(' ').map((word) => frame([{ index: 0, delta: { content: `${word} ` }, finish_reason: null }])),
  frame([{ index: 0, delta: {}, finish_reason: 'stop' }]),
  frame([], { usage }),
  'data: [DONE]\n\n',
];

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  let streams = false;
  request.on('data', (part: Buffer) => (streams ||= part.includes('"stream":true')));
  request.on('end', () => {
    if (!streams) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': plain.length }).end(plain);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const each of frames) response.write(each);
    response.end();
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
