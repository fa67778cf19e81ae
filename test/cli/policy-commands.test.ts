// check, build, test and decide as scripts use them: exit codes, fixed forms of JSON, and errors that say what to do.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import { readBundle } from '../../compiler/bundle/read-bundle.ts';
import { IN_ENVOY_STORES_MAX } from '../../compiler/plan/doors.ts';
import { writ } from './run-writ.ts';
import { SMALL_POLICY } from './small-policy.ts';

const ACME = new URL('../../examples/acme', import.meta.url).pathname;
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'writ-cli-'));
  cpSync(ACME, join(folder, 'acme'), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A rule whose detector nothing looks up yet. */
function listed(name: string): string {
  return `list ${name}_list of text from "${name}" max age 1 day
detector ${name}_words matches list ${name}_list
rule ${name}
  on prompt
  redact ${name}_words as mask
`;
}

function policyFile(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

describe('writ', () => {
  test('without a command shows the commands and fails', async () => {
    const { code, out } = await writ([]);
    expect(code).toBe(2);
    expect(out).toMatch(/^  build  /m);
  });

  test('an unknown command is named', async () => {
    const { code, err } = await writ(['biuld']);
    expect(code).toBe(2);
    expect(err).toContain('`biuld`');
  });

  test.each(['check', 'build', 'test', 'decide'])('%s --help says how', async (name) => {
    const { code, out } = await writ([name, '--help']);
    expect(code).toBe(0);
    expect(out).toContain(`usage: writ ${name}`);
    expect(out).toContain('exit codes');
  });

  test('an unknown option is named', async () => {
    const { code, err } = await writ(['check', 'acme', '--jsn'], { cwd: folder });
    expect(code).toBe(2);
    expect(err).toContain('unknown option `--jsn`');
  });
});

describe('writ check', () => {
  test('a policy without errors', async () => {
    const { code, out } = await writ(['check', 'acme'], { cwd: folder });
    expect(code).toBe(0);
    expect(out).toMatch(/^acme: \d+ files, \d+ rules, 2 routes, 2 budgets, no errors\n$/);
  });

  test('one of a thing is not several, and forms that build refuses are said, but are no diagnostics', async () => {
    const one = policyFile('one.writ', `${SMALL_POLICY}${listed('wait')}`);
    const { code, out } = await writ(['check', one], { cwd: folder });
    expect({ code, out }).toEqual({
      code: 0,
      out: 'small: 1 file, 1 rule, 0 routes, 0 budgets, no errors\n`writ build` will refuse 1 form that is not enforced yet, and names it\n',
    });
    const two = policyFile('two.writ', `${SMALL_POLICY}${listed('wait')}${listed('again')}`);
    expect((await writ(['check', two], { cwd: folder })).out).toMatch(
      /1 file, 2 rules, .*\n`writ build` will refuse 2 forms that are not enforced yet, and names them\n$/,
    );
    expect(JSON.parse((await writ(['check', two, '--json'], { cwd: folder })).out)).toEqual({ diagnostics: [] });
  });

  test('errors are shown with their place, and the exit code is 1', async () => {
    const file = policyFile('wrong.writ', `${SMALL_POLICY}rule r\n  on prompt\n  where caller.idd is "u"\n  deny\n`);
    const { code, err } = await writ(['check', file], { cwd: folder });
    expect(code).toBe(1);
    expect(err).toContain('--> wrong.writ:18:');
    expect(err).toContain('did you mean `id`?');
  });

  test('--json has the fixed form', async () => {
    const file = policyFile('wrong.writ', `${SMALL_POLICY}rule r\n  on prompt\n  where caller.idd is "u"\n  deny\n`);
    const { code, out } = await writ(['check', file, '--json'], { cwd: folder });
    const { diagnostics } = JSON.parse(out) as { diagnostics: object[] };
    expect(code).toBe(1);
    expect(diagnostics).toHaveLength(1);
    expect(Object.keys(diagnostics[0]!)).toEqual(['code', 'severity', 'message', 'file', 'span', 'labels', 'help']);
    expect(diagnostics[0]).toMatchObject({
      severity: 'error',
      file: 'wrong.writ',
      span: { start: { line: 18, column: 16 } },
    });
  });

  test.each([
    ['UTF-16', Buffer.from('\ufeffrule a\n', 'utf16le'), ': it is UTF-16'],
    ['Latin-1', Buffer.from('// a\nrule a "Für alle"\n', 'latin1'), ' at line 2, column 10'],
    ['a character cut in two', Buffer.from('rule a "Fü').subarray(0, -1), ', cut off at its end'],
  ])('a file in %s is said to be that', async (_, bytes, where) => {
    const folder = mkdtempSync(join(tmpdir(), 'writ-check-'));
    writeFileSync(join(folder, 'x.writ'), bytes);
    const { code, err } = await writ(['check', folder]);
    rmSync(folder, { recursive: true, force: true });
    expect({ code, err }).toEqual({
      code: 2,
      err: `writ: \`x.writ\` is not UTF-8 text${where}\n  save it as UTF-8\n`,
    });
  });

  test('what is not there is not a wrong policy', async () => {
    expect(await writ(['check', 'nowhere'], { cwd: folder })).toMatchObject({
      code: 2,
      err: 'writ: there is no file or folder `nowhere`\n',
    });
  });
});

describe('writ build', () => {
  test('the same policy gives the same bytes in two folders, signed too', async () => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    writeFileSync(join(folder, 'key.pem'), privateKey);
    cpSync(ACME, join(folder, 'elsewhere', 'acme'), { recursive: true });
    const first = await writ(['build', 'acme', '-o', 'a.tar.gz', '--key', 'key.pem'], { cwd: folder });
    await writ(['build', 'elsewhere/acme', '-o', 'b.tar.gz', '--key', 'key.pem'], { cwd: folder });
    expect(first.code).toBe(0);
    expect(first.err).toContain('signed by');
    expect(readFileSync(join(folder, 'a.tar.gz')).equals(readFileSync(join(folder, 'b.tar.gz')))).toBe(true);
    expect(readBundle(readFileSync(join(folder, 'a.tar.gz'))).has('/.signatures.json')).toBe(true);
  });

  test('--json names the bundle', async () => {
    const { code, out } = await writ(['build', 'acme', '-o', 'a.tar.gz', '--json'], { cwd: folder });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      diagnostics: [],
      bundle: { file: 'a.tar.gz', signedBy: null, governsTraffic: true, door: 'in_envoy', passedOver: [] },
    });
  });

  const built = async (...args: string[]): Promise<{ code: number; err: string; door: string; report: string }> => {
    const { code, err } = await writ(['build', ...args, '-o', 'door.tar.gz'], { cwd: folder });
    const files = readBundle(readFileSync(join(folder, 'door.tar.gz')));
    const text = (path: string): string => new TextDecoder().decode(files.get(path));
    const { door }: { door: string } = JSON.parse(text(BUNDLE_PATHS.envoy));
    return { code, err, door, report: text(BUNDLE_PATHS.reportText) };
  };

  test('the door is the one inside Envoy, unless another is asked for', async () => {
    const usual = await built('acme');
    expect(usual).toMatchObject({ code: 0, door: 'in_envoy', err: expect.stringContaining('; door in_envoy\n') });
    expect(usual.report).toContain('\n  in_envoy: yes, and this bundle is built for it\n  ext_proc: yes\n');
    const other = await built('acme', '--door', 'ext_proc');
    expect(other).toMatchObject({ code: 0, door: 'ext_proc', err: expect.stringContaining('; door ext_proc\n') });
    expect(other.report).toContain('\n  in_envoy: yes\n  ext_proc: yes, and this bundle is built for it\n');
  });

  test('a policy that the door inside Envoy cannot serve gets the other one, and build says why', async () => {
    const names = Array.from({ length: IN_ENVOY_STORES_MAX + 1 }, (_, at) => `s${at}`);
    const write = (count: number): string[] => {
      const stores = names.slice(0, count);
      const declared = stores.map((name) => `store ${name} chroma "${name}" { source: text from metadata "source" }\n`);
      const urls = stores.map((name, at) => [name, { url: `http://127.0.0.1:${at + 2}` }]);
      return [
        policyFile('many.writ', `${SMALL_POLICY}${declared.join('')}`),
        '--deployment',
        policyFile(
          'where.json',
          JSON.stringify({
            listener: { port: 1 },
            models: { m: { url: 'http://127.0.0.1:1' } },
            stores: Object.fromEntries(urls),
          }),
        ),
      ];
    };
    expect(await built(...write(IN_ENVOY_STORES_MAX))).toMatchObject({ code: 0, door: 'in_envoy' });
    const args = write(IN_ENVOY_STORES_MAX + 1);
    const obstacle = 'it has 65 stores, more than 64';
    const fallen = await built(...args);
    expect(fallen).toMatchObject({ code: 0, door: 'ext_proc' });
    expect(fallen.err).toContain(`; the door is ext_proc, for in_envoy cannot serve this policy: ${obstacle}\n`);
    expect(fallen.report).toContain(
      `\n  in_envoy: no, ${obstacle}\n  ext_proc: yes, and this bundle is built for it\n`,
    );
    const { out } = await writ(['build', ...args, '-o', 'door.tar.gz', '--json'], { cwd: folder });
    expect(JSON.parse(out)).toMatchObject({
      bundle: { door: 'ext_proc', passedOver: [{ door: 'in_envoy', obstacles: [obstacle] }] },
    });
    const insisted = await writ(['build', ...args, '-o', 'no.tar.gz', '--door', 'in_envoy'], { cwd: folder });
    expect(insisted).toMatchObject({ code: 2, err: expect.stringContaining('the door `in_envoy` cannot serve') });
    expect(insisted.err).toContain('build it with `--door ext_proc`');
  });

  test('a form that is not enforced is refused; with --allow-unenforced it denies', async () => {
    const file = policyFile('hold.writ', `${SMALL_POLICY}${listed('wait')}`);
    const refused = await writ(['build', file, '-o', 'hold.tar.gz'], { cwd: folder });
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('error[E0927]');
    const allowed = await writ(['build', file, '-o', 'hold.tar.gz', '--allow-unenforced'], { cwd: folder });
    expect(allowed.code).toBe(0);
    expect(allowed.err).toContain('warning[E0927]');
    const facts = {
      event: 'prompt',
      caller: { id: 'u' },
      prompt: { requested_model: 'm-1', input_tokens_bound: 1, tokens_estimate: 1 },
      text: { found: [] },
    };
    const { out } = await writ(['decide', 'hold.tar.gz'], { cwd: folder, stdin: JSON.stringify(facts) });
    expect(JSON.parse(out)).toMatchObject({ outcome: 'deny', reasons: [{ kind: 'rule', rule: 'wait' }] });
  });

  test('nothing is written where the policy is wrong', async () => {
    const file = policyFile('wrong.writ', `${SMALL_POLICY}rule r\n  on prompt\n`);
    expect((await writ(['build', file, '-o', 'wrong.tar.gz'], { cwd: folder })).code).toBe(1);
    expect(() => readFileSync(join(folder, 'wrong.tar.gz'))).toThrow();
  });

  test.each([
    [['build', 'acme'], '-o FILE.tar.gz'],
    [['build', 'acme', '-o', 'a.tar.gz', '--key', 'nowhere.pem'], 'there is no key `nowhere.pem`'],
    [['build', 'acme', '-o', 'a.tar.gz', '--deployment', 'nowhere.json'], 'there is no deployment file'],
    [['build', 'acme', '-o', 'a.tar.gz', '--door', 'front'], 'the doors are in_envoy and ext_proc'],
  ])('%j', async (args, message) => {
    const { code, err } = await writ(args, { cwd: folder });
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

describe('writ test', () => {
  test("the example's tests pass", async () => {
    const { code, out } = await writ(['test', 'acme'], { cwd: folder });
    expect(out).toContain(' passed, 0 failed');
    expect(code).toBe(0);
  });

  test('a test that fails says what came instead, and where', async () => {
    const file = policyFile(
      'tested.writ',
      `${SMALL_POLICY}rule r\n  on prompt\n  redact email as placeholder\ntest "mail" {\n  caller { id: "u" }\n  prompt to m "I am a@b.example"\n  expect sent "I am [PHONE_1]"\n}\n`,
    );
    const { code, out } = await writ(['test', file], { cwd: folder });
    expect(code).toBe(1);
    expect(out).toContain('FAIL mail');
    expect(out).toContain('tested.writ:22:3: what was sent is "I am [EMAIL_1]"');
  });
});

describe('review', () => {
  test('what a rule holds is expected, and what is held is neither allowed nor denied', async () => {
    const file = policyFile(
      'held.writ',
      `${SMALL_POLICY}reviewers legal from group "legal-review"
rule wait
  on prompt
  where text contains iban
  hold for review by 1 of legal up to 4 hours else deny
test "held" {
  prompt to m "DE89 3704 0044 0532 0130 00"
  expect hold
  expect hold by wait
}
test "not held" {
  prompt to m "hello"
  expect allow
}
test "wrong" {
  prompt to m "DE89 3704 0044 0532 0130 00"
  expect allow
  expect deny
}
test "also wrong" {
  prompt to m "hello"
  expect hold
}
`,
    );
    const { code, out } = await writ(['test', file], { cwd: folder });
    expect(code).toBe(1);
    expect(out.match(/it was held for review by `wait` \(legal\)/g)).toHaveLength(2);
    expect(out).toContain('it was allowed');
    expect(out.match(/FAIL/g)).toHaveLength(2);
  });
});

describe('time', () => {
  const POLICY = `${SMALL_POLICY}
hours office = monday to friday 09:00 to 18:00
rule closed
  on prompt
  where now is not in hours office
  deny "Ask on a working day"
  waivable by "dpo"
waiver on_call "Whoever is on call" of closed
  where caller.id is "u2"
  until 2026-12-31
  owner "dpo@acme.example"
`;
  const TESTS = `test "by day" {
  now 2026-11-30 09:00
  caller { id: "u1" }
  prompt to m "hello"
  expect allow
}
test "by night" {
  now 2026-11-30 18:00
  caller { id: "u1" }
  prompt to m "hello"
  expect deny by closed
}
test "on call" {
  now 2026-12-31 23:59
  caller { id: "u2" }
  prompt to m "hello"
  expect allow
}
test "after the waiver" {
  now 2027-01-02
  caller { id: "u2" }
  prompt to m "hello"
  expect deny by closed
}
`;

  test('is what a test says it is', async () => {
    const file = policyFile('timed.writ', POLICY + TESTS);
    const { code, out, err } = await writ(['test', file], { cwd: folder });
    expect({ code, out, err }).toMatchObject({ code: 0, out: expect.stringContaining('4 passed, 0 failed') });
  });

  test('that a test does not say is asked for', async () => {
    const file = policyFile('timeless.writ', POLICY + TESTS.replace('  now 2026-11-30 09:00\n', ''));
    const { code, out } = await writ(['test', file], { cwd: folder });
    expect(code).toBe(1);
    expect(out).toContain('this policy reads the time: say when it happens, such as `now 2026-12-01 09:00`');
  });

  test.each([
    ['2026-12-17', ''],
    ['2026-12-18', 'the waiver `on_call` ends with 2026-12-31, in 13 days'],
    ['2026-12-31', 'the waiver `on_call` ends with 2026-12-31, today'],
    ['2027-01-01', 'the waiver `on_call` ended with 2026-12-31: it lifts nothing any more'],
  ])('a waiver that ends, on %s', async (day, message) => {
    const file = policyFile('waived.writ', POLICY);
    for (const args of [
      ['check', file],
      ['build', file, '-o', 'waived.tar.gz'],
    ]) {
      const { code, err } = await writ([...args, '--today', day], { cwd: folder });
      expect(code).toBe(0);
      if (message === '') expect(err).not.toContain('on_call');
      else expect(err).toContain(message);
    }
  });

  test('is told in the report as the policy writes it, in its zone', async () => {
    const written = `${POLICY.replace('time zone "UTC"', 'time zone "Europe/Berlin"').replace(
      'caller { id: text from claim "sub" }',
      'caller { id: text from claim "sub"  hired: date from claim "hired" else 2026-02-28  since: time from claim "since" else 2026-01-01 09:30 }',
    )}rule new on prompt where caller.hired is above 2026-10-31 deny "Not yet" effective 2026-06-01\n`;
    const file = policyFile('told.writ', written);
    const { out } = await writ(['build', file, '-o', 'told.tar.gz', '--report'], { cwd: folder });
    for (const line of [
      'office: monday 09:00 to 18:00, tuesday 09:00 to 18:00, wednesday 09:00 to 18:00, thursday 09:00 to 18:00, friday 09:00 to 18:00; in Europe/Berlin',
      'caller.hired, from the claim "hired"; 2026-02-28 where it is missing',
      'caller.since, from the claim "since"; 2026-01-01 09:30 where it is missing',
      'where caller.hired is above 2026-10-31 and now is at least 2026-06-01',
      'where now is not in hours office and caller.id is "u2" and now is below 2027-01-01',
      "lift what its rules would do, and say so in the decision's record",
    ])
      expect(out).toContain(line);
  });

  test('a day that is none', async () => {
    const { code, err } = await writ(['check', 'acme', '--today', '2026-02-30'], { cwd: folder });
    expect(code).toBe(2);
    expect(err).toContain('`2026-02-30` is no day of the calendar');
  });
});

describe('writ decide', () => {
  test.each([
    ['another event', { event: 'promt' }, '`promt` is no event of this policy, which decides `prompt`, '],
    ['no event', {}, 'the facts name no `event`; this policy decides `prompt`, '],
    ['an event that is no text', { event: 7 }, '`7` is no event of this policy'],
    ['no store', { event: 'retrieval' }, 'the facts of a retrieval must name a `store` of the policy'],
  ])('%s: denied, and standard error says why', async (_, facts, message) => {
    await writ(['build', 'acme', '-o', 'a.tar.gz'], { cwd: folder });
    const { code, out, err } = await writ(['decide', 'a.tar.gz'], { cwd: folder, stdin: JSON.stringify(facts) });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ event: null, outcome: 'deny', reasons: [{ kind: 'input' }] });
    expect(err).toContain(`writ: ${message}`);
    expect(err.trimEnd()).not.toContain('\n');
  });

  test('says nothing beside the decision on an event of the policy', async () => {
    await writ(['build', 'acme', '-o', 'a.tar.gz'], { cwd: folder });
    expect(
      await writ(['decide', 'a.tar.gz'], { cwd: folder, stdin: '{"event":"retrieval","store":"handbook"}' }),
    ).toMatchObject({ code: 0, err: '' });
  });

  test.each([
    ['not JSON', '{', 'the facts are not a JSON object'],
    ['not an object', '3', 'the facts are not a JSON object'],
  ])('%s', async (_, stdin, message) => {
    await writ(['build', 'acme', '-o', 'a.tar.gz'], { cwd: folder });
    const { code, err } = await writ(['decide', 'a.tar.gz'], { cwd: folder, stdin });
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});
