// push, rollback, status, control-plane and sidecar against each other: one control plane over mTLS, as an operator
// runs it.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPglite } from '../../control-plane/store/open-pglite.ts';
import { install as installEnvoy } from '../../examples/parts/envoy.ts';
import { freePort } from '../../examples/parts/free-port.ts';
import { writ } from './run-writ.ts';
import { SMALL_POLICY } from './small-policy.ts';
import { type Started, startWrit } from './start-writ.ts';

const POLICY = `${SMALL_POLICY}budget all
  limit 1 usd per day in "UTC"
  else deny "Used up"
rule short
  on prompt
  limit prompt.output_tokens to 100 tokens
`;

let folder = '';
let plane: Started;
let address = '';
let port = 0;

const options = (): string[] => ['--keys', 'keys', '--control-plane', address];
const run = (...args: string[]) => writ(args, { cwd: folder });

function writePolicy(name: string, text: string): void {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, 'small.writ'), text);
  writeFileSync(
    join(folder, name, 'deployment.json'),
    JSON.stringify({ listener: { port }, models: { m: { url: 'http://127.0.0.1:1' } } }),
  );
}

async function startPlane(...args: string[]): Promise<{ readonly plane: Started; readonly address: string }> {
  const started = startWrit(
    ['control-plane', '--listen', '127.0.0.1:0', '--metrics-port', '0', '--keys', 'keys', ...args],
    folder,
  );
  const [, port] = await started.prints(/control plane on 127\.0\.0\.1:(\d+)/);
  return { plane: started, address: `localhost:${port}` };
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'writ-cli-'));
  port = await freePort();
  await run('keys', 'init', 'keys', '--node', 'n1');
  writePolicy('policy', POLICY);
  writePolicy('changed', POLICY.replace('100 tokens', '50 tokens'));
  ({ plane, address } = await startPlane('--data', 'data'));
});
afterAll(async () => {
  await plane.stop();
  rmSync(folder, { recursive: true, force: true });
});

// One story: each test stands on those before it.
describe('the life of a policy', () => {
  let first = '';

  test('before the first push there is nothing', async () => {
    const { code, out } = await run('status', ...options());
    expect({ code, out }).toEqual({ code: 0, out: 'no sidecar has come yet\n' });
    expect(await run('rollback', 'small', ...options())).toMatchObject({
      code: 2,
      err: expect.stringContaining('nothing of `small` was ever released'),
    });
  });

  test('a policy that nobody ever released is said to be none', async () => {
    const { code, err } = await run('status', '--policy', 'smal', ...options());
    expect({ code, err }).toEqual({
      code: 2,
      err: 'writ: nothing of `smal` was ever released, and no sidecar asks for it\n  `writ status` shows every policy\n',
    });
  });

  test('a control plane at an address is reached without a warning', async () => {
    const warnings: Error[] = [];
    const listen = (warning: Error): void => void warnings.push(warning);
    process.on('warning', listen);
    try {
      expect(
        await run('status', '--keys', 'keys', '--control-plane', address.replace('localhost', '127.0.0.1')),
      ).toMatchObject({ code: 0 });
      await new Promise((resolve) => setTimeout(resolve, 50));
    } finally {
      process.off('warning', listen);
    }
    expect(warnings).toEqual([]);
  });

  test('push builds, signs and releases a folder', async () => {
    const { code, out } = await run('push', 'policy', '--json', ...options());
    expect(code).toBe(0);
    const released = JSON.parse(out);
    expect(released).toMatchObject({ policy: 'small', sequence: 1, rollback: false, isNew: true });
    first = released.revision;
  });

  test('the same policy again is no new release', async () => {
    const { code, out } = await run('push', 'policy', ...options());
    expect({ code, out }).toEqual({
      code: 0,
      out: `small: revision ${first.slice(0, 12)} is released already (release 1)\n`,
    });
  });

  test('push takes a bundle that was built and signed before', async () => {
    expect(await run('build', 'changed', '-o', 'changed.tar.gz', '--key', 'keys/bundle/signing.key')).toMatchObject({
      code: 0,
    });
    const { code, out } = await run('push', 'changed.tar.gz', ...options());
    expect(code).toBe(0);
    expect(out).toMatch(/^small: revision [0-9a-f]{12} is release 2\n$/);
  });

  test('a revision that was in force before does not come back by a push', async () => {
    const { code, err } = await run('push', 'policy', ...options());
    expect(code).toBe(2);
    expect(err).toContain(`\`writ rollback small --to ${first.slice(0, 12)}\` brings it back`);
  });

  test('rollback brings it back', async () => {
    const { code, out } = await run('rollback', 'small', '--to', first.slice(0, 8), ...options());
    expect({ code, out }).toEqual({ code: 0, out: `small: revision ${first.slice(0, 12)} is release 3, a rollback\n` });
  });

  test.each([
    ['zzz', 'is not a revision'],
    ['000000', 'has no earlier revision'],
  ])('rollback to `%s` is refused', async (to, message) => {
    expect(await run('rollback', 'small', '--to', to, ...options())).toMatchObject({
      code: 2,
      err: expect.stringContaining(message),
    });
  });

  test('a sidecar takes it; status shows who verified and who enforces what', async () => {
    const sidecar = startWrit(
      ['sidecar', '--policy', 'small', '--name', 'n1', '--state', 'state', '--admin-port', '0', ...options()],
      folder,
    );
    const [, url = ''] = await sidecar.prints(/status on (http:\S+)/);
    await sidecar.prints(/start Envoy with/);
    await until(async () => /"verified": \{/.test(await (await fetch(url)).text()));
    const { out } = await until(async () => {
      const ran = await run('status', '--policy', 'small', '--json', ...options());
      return JSON.parse(ran.out).nodes[0]?.verified === null ? undefined : ran;
    });
    const document = JSON.parse(out);
    expect(document.nodes).toMatchObject([
      {
        name: 'n1',
        policy: 'small',
        connected: true,
        verified: { revision: first, sequence: 3 },
        enforcing: null,
        refused: null,
        quarantined: [],
      },
    ]);
    expect(document.budgets).toMatchObject([
      { policy: 'small', budget: 'all', limitMicros: 1_000_000, chargedMicros: 0 },
    ]);
    expect(
      document.releases.map((each: { sequence: number; rollback: boolean }) => [each.sequence, each.rollback]),
    ).toEqual([
      [3, true],
      [2, false],
      [1, false],
    ]);
    const table = await run('status', ...options());
    expect(table.out).toContain(`n1    small   in_envoy  yes        ${first.slice(0, 12)} (3)  none`);
    expect(table.out).toMatch(/^all {5}small {3}day\/\S+ {2}1\.000000 {2}0\.000000/m);
    expect(existsSync(join(folder, 'state', 'envoy', 'bootstrap.json'))).toBe(true);
    expect(await sidecar.stop()).toBe(0);
  });

  test('with an Envoy of its own, a sidecar enforces it, and takes Envoy along when it stops', async () => {
    const { binary } = await installEnvoy();
    const sidecar = startWrit(
      [
        'sidecar',
        '--policy',
        'small',
        '--name',
        'n1',
        '--state',
        'state',
        '--admin-port',
        '0',
        '--envoy',
        binary,
        '--concurrency',
        '1',
        ...options(),
      ],
      folder,
    );
    const [, url = ''] = await sidecar.prints(/status on (http:\S+)/);
    await until(async () => /"enforcing": \{/.test(await (await fetch(url)).text()));
    const answer = await fetch(`http://127.0.0.1:${port}/v1/anything`);
    expect([answer.status, JSON.stringify(await answer.json())]).toEqual([
      expect.any(Number),
      expect.stringContaining('error'),
    ]);
    expect(answer.ok).toBe(false);
    const nodeNow = async () => JSON.parse((await run('status', '--json', ...options())).out).nodes[0];
    await until(async () => (await nodeNow())?.enforcing?.sequence === 3);
    expect((await nodeNow()).door).toBe('in_envoy');

    // The same policy through the other door is another release.
    const { out } = await run('push', 'policy', '--door', 'ext_proc', ...options());
    expect(out).toMatch(/^small: revision [0-9a-f]{12} is release 4\n$/);
    await until(async () => (await nodeNow())?.enforcing?.sequence === 4);
    expect((await nodeNow()).door).toBe('ext_proc');
    expect((await run('status', ...options())).out).toMatch(/^n1 +small +ext_proc +yes /m);
    expect((await fetch(`http://127.0.0.1:${port}/v1/anything`)).ok).toBe(false);
    expect(await sidecar.stop()).toBe(0);
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });
});

// The control plane's own store is damaged: mTLS and a check at every push leave no other way for a changed byte to
// come to a sidecar.
describe('a released bundle with one byte changed', () => {
  const OS_BYTE_OF_GZIP = 9;
  const policies = { kept: '100 tokens', next: '70 tokens' } as const;
  const statusAt = (at: string, ...args: string[]) =>
    writ(['status', '--keys', 'keys', '--control-plane', at, ...args], { cwd: folder });

  async function changeAByte(digest: string): Promise<void> {
    const database = await openPglite(join(folder, 'damaged-data'));
    try {
      const [row] = await database.query('select bytes from bundles where digest = $1', [digest]);
      if (!(row?.['bytes'] instanceof Uint8Array)) throw new Error('the bundle is not there');
      const bytes = Buffer.from(row['bytes']);
      bytes.writeUInt8((bytes[OS_BYTE_OF_GZIP] ?? 0) ^ 1, OS_BYTE_OF_GZIP);
      await database.query('update bundles set bytes = $2 where digest = $1', [digest, bytes]);
    } finally {
      await database.close();
    }
  }

  test(
    'is refused by the sidecar, which keeps the old one and says so, also after a restart',
    { timeout: 120_000 },
    async () => {
      const { binary } = await installEnvoy();
      for (const [name, tokens] of Object.entries(policies)) writePolicy(name, POLICY.replace('100 tokens', tokens));
      const started: Started[] = [];
      const startSidecar = (at: string): Started => {
        const sidecar = startWrit(
          [
            'sidecar',
            '--policy',
            'small',
            '--name',
            'n1',
            '--state',
            'kept-state',
            '--admin-port',
            '0',
            '--envoy',
            binary,
            '--concurrency',
            '1',
            '--keys',
            'keys',
            '--control-plane',
            at,
          ],
          folder,
        );
        started.push(sidecar);
        return sidecar;
      };
      const releaseAt = async (at: string, name: keyof typeof policies): Promise<string> => {
        const { code, out, err } = await writ(['push', name, '--json', '--keys', 'keys', '--control-plane', at], {
          cwd: folder,
        });
        expect({ code, err }).toEqual({ code: 0, err: '' });
        return JSON.parse(out).revision;
      };
      const nodeAt = async (at: string) => JSON.parse((await statusAt(at, '--json')).out).nodes[0];

      const sound = await startPlane('--data', 'damaged-data');
      const kept = await releaseAt(sound.address, 'kept');
      const first = startSidecar(sound.address);
      await until(async () => (await nodeAt(sound.address))?.enforcing?.sequence === 1);
      expect(await first.stop()).toBe(0);
      const next = await releaseAt(sound.address, 'next');
      const { releases } = JSON.parse((await statusAt(sound.address, '--policy', 'small', '--json')).out);
      await sound.plane.stop();
      await changeAByte(releases[0].digest);

      const damaged = await startPlane('--data', 'damaged-data');
      const second = startSidecar(damaged.address);
      try {
        const refusing = await until(async () => {
          const node = await nodeAt(damaged.address);
          return node?.refused !== null && node?.enforcing !== null && node?.connected && node?.quarantined.length === 1
            ? node
            : undefined;
        });
        const message = 'the bundle is not in the one form that its content has';
        expect(refusing).toMatchObject({
          verified: { revision: kept, sequence: 1 },
          enforcing: { revision: kept, sequence: 1 },
          refused: { revision: next, sequence: 2, code: 'not_canonical', message },
          quarantined: [{ resource: 'small', message: `not_canonical: ${message}` }],
        });
        const inForce = `\n  in force there: ${kept.slice(0, 12)} (1)\n`;
        expect((await statusAt(damaged.address)).out).toContain(
          `\nn1 refused ${next.slice(0, 12)} (2): ${message} [not_canonical]${inForce}`,
        );
        expect((await fetch(`http://127.0.0.1:${port}/v1/anything`)).ok).toBe(false);

        // The next process of the sidecar is not sent it again: the control plane remembers for it.
        expect(await second.stop()).toBe(0);
        const third = startSidecar(damaged.address);
        await until(async () => {
          const node = await nodeAt(damaged.address);
          return node.connected && node.startedAt !== refusing.startedAt && node.enforcing?.sequence === 1;
        });
        expect((await statusAt(damaged.address)).out).toContain(
          `\nn1 refused release 2: not_canonical: ${message}${inForce}`,
        );
        expect(await third.stop()).toBe(0);

        // A sound release ends it.
        writePolicy('next', POLICY.replace('100 tokens', '60 tokens'));
        await releaseAt(damaged.address, 'next');
        const fourth = startSidecar(damaged.address);
        await until(async () => (await nodeAt(damaged.address)).enforcing?.sequence === 3);
        expect((await statusAt(damaged.address)).out).not.toContain('refused');
        expect(await fourth.stop()).toBe(0);
      } finally {
        for (const sidecar of started) await sidecar.stop();
        await damaged.plane.stop();
      }
    },
  );
});

describe('what push refuses', () => {
  test('a door for a bundle, which has one', async () => {
    expect(await run('push', 'changed.tar.gz', '--door', 'ext_proc', ...options())).toMatchObject({
      code: 2,
      err: "writ: `--door` goes with a policy: a bundle has its door\n  push the policy's folder\n",
    });
  });

  test('a policy that is wrong: its diagnostics, exit code 1', async () => {
    writePolicy('wrong', POLICY.replace('prompt.output_tokens', 'prompt.output_token'));
    const { code, err } = await run('push', 'wrong', ...options());
    expect(code).toBe(1);
    expect(err).toContain('output_token');
  });

  test('a bundle without a signature', async () => {
    await run('build', 'changed', '-o', 'unsigned.tar.gz');
    const { code, err } = await run('push', 'unsigned.tar.gz', ...options());
    expect({ code, err }).toEqual({
      code: 2,
      err: "writ: the bundle is not one to push: the bundle is not signed\n  build it with `--key`, or push the policy's folder\n",
    });
  });

  test('a bundle with one byte changed', async () => {
    await run('build', 'changed', '-o', 'whole.tar.gz', '--key', 'keys/bundle/signing.key');
    const bytes = readFileSync(join(folder, 'whole.tar.gz'));
    bytes.writeUInt8((bytes[bytes.length >> 1] ?? 0) ^ 1, bytes.length >> 1);
    writeFileSync(join(folder, 'broken.tar.gz'), bytes);
    expect(await run('push', 'broken.tar.gz', ...options())).toMatchObject({
      code: 2,
      err: expect.stringContaining('the bundle is not one to push'),
    });
  });

  test('a policy without a deployment, as a folder and as a bundle, unless it is asked for', async () => {
    writePolicy('adrift', POLICY.replace('policy small', 'policy adrift'));
    rmSync(join(folder, 'adrift', 'deployment.json'));
    await run('build', 'adrift', '-o', 'adrift.tar.gz', '--key', 'keys/bundle/signing.key');
    for (const path of ['adrift', 'adrift.tar.gz']) {
      const { code, err } = await run('push', path, ...options());
      expect(code).toBe(2);
      expect(err).toMatch(
        /^writ: `adrift` was built without a deployment, so no sidecar can govern traffic by it\n {2}.*`--no-traffic` releases it as it is\n$/,
      );
    }
    expect(await run('push', 'adrift', '--no-traffic', ...options())).toMatchObject({
      code: 0,
      out: expect.stringContaining('is release 1'),
    });
  });

  test('what is not there', async () => {
    expect(await run('push', 'nothing', ...options())).toMatchObject({
      code: 2,
      err: 'writ: there is no file or folder `nothing`\n',
    });
  });

  test('a control plane that is not there', async () => {
    const { code, err } = await run('push', 'policy', '--keys', 'keys', '--control-plane', 'localhost:1');
    expect(code).toBe(2);
    expect(err).toContain('the control plane at `localhost:1` cannot be reached');
  });

  test('a certificate of another authority', async () => {
    await run('keys', 'init', 'other-keys');
    expect(await run('status', '--keys', 'other-keys', '--control-plane', address)).toMatchObject({ code: 2 });
  });
});

describe('control-plane --watch', () => {
  test(
    'releases at the start and on every change, says what is wrong, and goes back when the folder does',
    { timeout: 120_000 },
    async () => {
      writePolicy('watched', POLICY);
      const watching = await startPlane('--data', 'watched-data', '--watch', 'watched');
      const release = (number: number) => watching.plane.prints(new RegExp(`is release ${number}\\b`));
      try {
        await release(1);
        writePolicy('watched', POLICY.replace('100 tokens', '20 tokens'));
        await release(2);
        writePolicy('watched', POLICY.replace('100 tokens', '20 bytes'));
        await watching.plane.prints(/nothing is released: what was in force stays in force/);
        writePolicy('watched', POLICY);
        await watching.plane.prints(/is release 3, a rollback/);
        const { out } = await writ(
          ['status', '--policy', 'small', '--json', '--keys', 'keys', '--control-plane', watching.address],
          { cwd: folder },
        );
        expect(JSON.parse(out).releases).toHaveLength(3);
      } finally {
        expect(await watching.plane.stop()).toBe(0);
      }
    },
  );
});

test.each([
  [['control-plane', '--keys', 'keys', '--listen', '8443'], '`8443` is not an address of the form HOST:PORT'],
  [['control-plane', '--keys', 'keys', '--metrics-port', '70000'], '--metrics-port `70000` is not a port'],
  [['control-plane', '--keys', 'keys', '--deployment', 'x'], '`--deployment` goes with `--watch`'],
  [['control-plane'], 'no keys are given'],
  [['sidecar', '--keys', 'keys'], 'needs to know which policy it enforces'],
  [['sidecar', '--policy', 'small', '--keys', 'keys', '--name', 'stranger'], 'node-stranger'],
  [
    ['sidecar', '--policy', 'small', '--keys', 'keys', '--name', 'n1', '--envoy', 'nowhere'],
    '`--envoy` takes the path of an Envoy',
  ],
  [
    ['sidecar', '--policy', 'small', '--keys', 'keys', '--name', 'n1', '--state', 'x'.repeat(120)],
    'too long for the sockets in it',
  ],
  [['status', 'now'], '`writ status` takes no arguments'],
  [['rollback'], 'takes one POLICY, but none is given'],
])('%j: exit code 2, one line and a hint', async (args, message) => {
  const { code, err } = await run(...args);
  expect(code).toBe(2);
  expect(err).toContain(message);
  expect(err.trimEnd().split('\n').length).toBeLessThanOrEqual(2);
});

test.each(['keys', 'push', 'rollback', 'status', 'control-plane', 'sidecar'])('%s --help says how', async (name) => {
  const { code, out } = await run(name, '--help');
  expect(code).toBe(0);
  expect(out).toContain(`usage: writ ${name}`);
  expect(out).toContain('exit codes');
});

async function until<T>(look: () => Promise<T | false | undefined>): Promise<T> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error('it did not come to be in 20 s');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
