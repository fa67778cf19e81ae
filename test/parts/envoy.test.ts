// The real Envoy installs, validates, serves, says its ports, explains a bad bootstrap, and stops.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as envoy from '../../examples/parts/envoy.ts';
import { directResponse } from './direct-response.ts';
import { isGone } from './is-gone.ts';

beforeAll(envoy.install);

describe('a running Envoy', () => {
  let first: envoy.RunningEnvoy;
  let second: envoy.RunningEnvoy;

  beforeAll(async () => {
    [first, second] = await Promise.all([
      envoy.start({ config: directResponse('the first'), concurrency: 1 }),
      envoy.start({ config: JSON.stringify(directResponse('the second')), concurrency: 1 }),
    ]);
  });

  afterAll(async () => {
    await Promise.all([first.stop(), second.stop()]);
  });

  test('answers on the port that its listener got, beside another Envoy', async () => {
    expect(await answerOf(first)).toEqual({ status: 200, body: 'the first' });
    expect(await answerOf(second)).toEqual({ status: 200, body: 'the second' });
  });

  test('is the pinned version and has the filters that we compile for', async () => {
    const info = (await (await fetch(`${first.adminUrl}/server_info`)).json()) as {
      version: string;
      node: { extensions: readonly { name: string }[] };
    };
    expect(info.version).toContain('/1.40.0/');
    expect(info.node.extensions.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'envoy.filters.http.ext_proc',
        'envoy.filters.http.wasm',
        'envoy.wasm.runtime.v8',
        'envoy.filters.http.jwt_authn',
      ]),
    );
  });

  test('leaves no process when stopped, twice', async () => {
    const third = await envoy.start({ config: directResponse('the third'), concurrency: 1 });
    await third.stop();
    await third.stop();
    expect(await third.exited).toBe(0);
    expect(isGone(third.pid)).toBe(true);
  });

  test('is gone at once when killed', async () => {
    const third = await envoy.start({ config: directResponse('the third'), concurrency: 1 });
    await third.kill();
    expect(await third.exited).toBeNull();
    expect(isGone(third.pid)).toBe(true);
  });
});

describe('a bootstrap', () => {
  test('is said to be valid', async () => {
    expect(await envoy.validate(directResponse('x'))).toMatchObject({ code: 0 });
  });

  test('is refused with the reason', async () => {
    const result = await envoy.validate({ static_resources: { listenerz: [] } });
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain('listenerz');
  });

  test('that is refused makes the start fail with the end of the log', async () => {
    await expect(envoy.start({ config: { static_resources: { listenerz: [] } } })).rejects.toMatchObject({
      name: 'PartError',
      code: 'exited_early',
      message: expect.stringContaining('listenerz') as unknown,
    });
  });
});

async function answerOf(running: envoy.RunningEnvoy): Promise<{ status: number; body: string }> {
  const port = (await running.listenerPorts()).get('main');
  const response = await fetch(`http://127.0.0.1:${port}/`);
  return { status: response.status, body: await response.text() };
}
