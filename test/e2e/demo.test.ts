// `npm run demo`, as a newcomer runs it: real models, a real store, a real Envoy, all seven scenes. The demo itself
// asserts each claim on what the upstreams received; this test asserts that it did.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { scenes } from '../../examples/demo/scenes.ts';

const DEMO = fileURLToPath(new URL('../../examples/demo/main.ts', import.meta.url));
/** On a machine that is busy with other tests; by itself the demo takes less than a minute. */
const DEMO_MS_MAX = 480_000;

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function demo(args: readonly string[], stopWhen?: (err: string) => boolean): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [DEMO, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    let isStopping = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
      if (isStopping || stopWhen?.(err) !== true) return;
      isStopping = true;
      child.kill('SIGINT');
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

/** What a demo leaves behind unless it cleans up. */
function leftovers(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('writ-demo-'));
}

test('every claim of the seven scenes holds', { timeout: DEMO_MS_MAX }, async () => {
  const before = leftovers();
  const { code, out, err } = await demo(['--json']);
  const {
    door,
    claims,
  }: { door?: string; claims: readonly { scene: number; claim: string; evidence: string; ok: boolean }[] } = JSON.parse(
    out === '' ? '{"claims":[]}' : out,
  );
  expect(
    claims.filter((claim) => !claim.ok),
    err,
  ).toEqual([]);
  expect(new Set(claims.map((claim) => claim.scene))).toEqual(new Set(scenes.map((_, at) => at + 1)));
  expect(scenes).toHaveLength(7);
  expect(door).toBe('in_envoy');
  expect(err).toContain('the policy is in force, through the door in_envoy: the filter runs in Envoy itself');
  expect(err).toMatch(/\nthrough the door in_envoy: .*\n\n *scene +claim +evidence/);
  expect(err).toMatch(/\nall \d+ claims hold, through the door in_envoy, in /);
  expect(code, err).toBe(0);
  expect(leftovers().filter((name) => !before.includes(name))).toEqual([]);
});

test.each([
  ['while it starts', 'starting two models'],
  ['in the middle of a scene', '1. A card number in a prompt'],
])('Ctrl-C %s ends everything', { timeout: DEMO_MS_MAX }, async (_, moment) => {
  const before = leftovers();
  const { code, err } = await demo(['--json'], (text) => text.includes(moment));
  expect(code, err).toBe(130);
  expect(err).not.toContain('all ');
  expect(leftovers().filter((name) => !before.includes(name))).toEqual([]);
});

test('an unknown option is usage', async () => {
  expect(await demo(['--scene'])).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringContaining('usage: npm run demo'),
  });
});
