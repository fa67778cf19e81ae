// Real OPA takes our bundles with their signature, and refuses what ours refuses.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../examples/parts/free-port.ts';
import { evalBundle, install, run } from '../../examples/parts/opa.ts';
import { BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import { readBundle } from '../../compiler/bundle/read-bundle.ts';
import { packBundle, writeBundle } from '../../compiler/bundle/write-bundle.ts';
import { bytes, files, good, key, otherKey, unsigned } from './fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'writ-opa-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const publicKey = file('key.pem', key.verification.publicKeyPem);
const publicOther = file('other.pem', otherKey.verification.publicKeyPem);

/** OPA's verdict on a bundle: the exit code of building from it. */
async function accepts(name: string, bundle: Uint8Array, pem = publicKey): Promise<boolean> {
  const args = [
    'build',
    '-b',
    file(`${name}.tar.gz`, bundle),
    '--verification-key',
    pem,
    '--verification-key-id',
    key.verification.kid,
    '-o',
    join(folder, 'out.tar.gz'),
  ];
  return (await run(args)).code === 0;
}

describe('opa', () => {
  test('accepts a bundle of ours under its key, and reads its data and its policy', async () => {
    expect(await accepts('good', good)).toBe(true);
    expect((await evalBundle(file('read.tar.gz', good), 'data.writ', {})).value).toEqual({
      models: ['b', 'a'],
      'é\u2028<&>': 9007199254740991,
      decision: { outcome: 'deny' },
    });
  });

  test('refuses another key, and a file that was changed, added or left out', async () => {
    const changed = (change: (content: Map<string, Uint8Array>) => void): Uint8Array => {
      const content = readBundle(good);
      change(content);
      return packBundle(content);
    };
    expect(await accepts('other-key', good, publicOther)).toBe(false);
    expect(
      await accepts(
        'changed',
        changed((content) => content.set(BUNDLE_PATHS.rego, bytes('package writ\n'))),
      ),
    ).toBe(false);
    expect(
      await accepts(
        'changed-data',
        changed((content) => content.set(BUNDLE_PATHS.data, bytes('{"writ":{}}'))),
      ),
    ).toBe(false);
    expect(
      await accepts(
        'added',
        changed((content) => content.set('/x.rego', bytes('package writ.x\n'))),
      ),
    ).toBe(false);
    expect(
      await accepts(
        'left-out',
        changed((content) => content.delete(BUNDLE_PATHS.plan)),
      ),
    ).toBe(false);
    expect(await accepts('unsigned', writeBundle(files, unsigned))).toBe(false);
  });
});

describe("opa's server", () => {
  let stop: () => void = () => undefined;
  let url = '';
  beforeAll(async () => {
    const { binary } = await install();
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const args = [
      'run',
      '--server',
      '--addr',
      `127.0.0.1:${port}`,
      '--disable-telemetry',
      '-b',
      file('served.tar.gz', good),
      '--verification-key',
      publicKey,
      '--verification-key-id',
      key.verification.kid,
    ];
    const child = spawn(binary, args, { stdio: 'ignore' });
    stop = () => void child.kill('SIGKILL');
    for (let attempt = 0; attempt < 100; attempt++) {
      if (
        await fetch(`${url}/health`).then(
          (response) => response.ok,
          () => false,
        )
      )
        return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error("opa's server did not start");
  });
  afterAll(() => stop());

  test('serves decisions from a bundle of ours that it verified', async () => {
    const response = await fetch(`${url}/v1/data/writ/decision`, {
      method: 'POST',
      body: JSON.stringify({ input: { event: 'prompt' } }),
    });
    expect(await response.json()).toMatchObject({ result: { outcome: 'deny' } });
  });
});
