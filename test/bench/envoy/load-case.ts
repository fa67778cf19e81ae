// The loads: concurrency, size and kind of the exchange; and running one of them with the generator (go/load).
import { runCommand } from '../../../examples/parts/command.ts';

/** What load is put on. */
export interface LoadPlace {
  readonly port: number;
  readonly headers: { readonly [name: string]: string };
}

export interface LoadCase {
  readonly name: string;
  readonly bodyBytes: number;
  readonly streamed: boolean;
  readonly concurrency: number;
}

/** As go/load prints it. */
export interface LoadResult {
  readonly count: number;
  readonly failed: number;
  readonly failures: readonly string[];
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly first: number;
  readonly busy: number;
}

const SMALL_BYTES = 1_800;
export const LARGE_BYTES = 225_000;
const PATH = '/v1/chat/completions';
/** A run's time, and then what is in flight: the generator gives up on a reply after 30 s. */
const BEYOND_MS_MAX = 60_000;

export const loadCases: readonly LoadCase[] = [SMALL_BYTES, LARGE_BYTES].flatMap((bodyBytes) =>
  [false, true].flatMap((streamed) =>
    [1, 16].map((concurrency) => ({
      name: `${bodyBytes / 1_000} KB${streamed ? ' streamed' : ''}, ${concurrency === 1 ? 'one at a time' : `${concurrency} at once`}`,
      bodyBytes,
      streamed,
      concurrency,
    })),
  ),
);

/** A chat request of exactly so many bytes, with nothing in it that the example policy edits. */
export function chatRequest(bodyBytes: number, streamed: boolean, start = ''): string {
  const sentence =
    'The quarterly report is due on Friday, and the numbers from the northern region are still missing. ';
  const around = JSON.stringify({
    model: 'frontier-1',
    ...(streamed ? { stream: true } : {}),
    messages: [{ role: 'user', content: '' }],
  });
  const length = bodyBytes - around.length - start.length;
  const text = start + sentence.repeat(Math.ceil(length / sentence.length)).slice(0, length);
  return around.replace('"content":""', `"content":${JSON.stringify(text)}`);
}

export interface LoadLimits {
  readonly seconds: number;
  /** Of each connection. */
  readonly requestsMax?: number;
}

export function runLoad(
  generator: string,
  { bodyBytes, streamed, concurrency }: LoadCase,
  target: LoadPlace,
  seconds: number,
): Promise<LoadResult> {
  return generate(generator, target, chatRequest(bodyBytes, streamed), concurrency, { seconds });
}

export async function generate(
  generator: string,
  { port, headers }: LoadPlace,
  body: string,
  concurrency: number,
  limits: LoadLimits,
): Promise<LoadResult> {
  const isStreamed = body.includes('"stream":true');
  const options = {
    port,
    path: PATH,
    headers,
    body,
    concurrency,
    ...limits,
    // What the upstream says, to its end.
    expect: isStreamed ? ['weather', '"finish_reason":"stop"', 'data: [DONE]'] : ['weather', '"finish_reason":"stop"'],
  };
  const { code, stdout, stderr } = await runCommand('load', generator, [], {
    stdin: JSON.stringify(options),
    env: { ...process.env, GOMAXPROCS: '1' },
    timeoutMs: limits.seconds * 1000 + BEYOND_MS_MAX,
  });
  if (code !== 0) throw new Error(`the load generator ended with ${code}: ${stderr}`);
  const result: LoadResult = JSON.parse(stdout);
  return result;
}
