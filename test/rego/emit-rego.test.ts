// The emitted Rego is for people and for OPA's own tools: strict, formatted, closed against texts of the policy, and
// never undefined. That it means what the plan means is test/differential's.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decide } from '../../compiler/interpret/decide.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import { emitRego, type RegoFiles } from '../../compiler/rego/emit-rego.ts';
import * as opa from '../../examples/parts/opa.ts';
import { generateCases } from '../differential/backend.ts';
import { randomFrom, seedOfRun } from '../differential/random.ts';
import {
  ALLOW,
  budget,
  classify,
  COMPLEX,
  deny,
  limit,
  plan,
  prompt,
  promptInput,
  redact,
  ref,
  requirement,
  route,
  rule,
  TRUE,
  VERIFIED,
} from '../interpret/small-plan.ts';

const SAMPLE = 40;
const seed = seedOfRun();
let folder = '';

beforeAll(async () => {
  await opa.install();
  folder = mkdtempSync(join(tmpdir(), 'writ-emit-rego-'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The files as a bundle has them: the data stands at `writ`. */
function write(name: string, files: RegoFiles, data: object = { writ: files.data }): string {
  const place = join(folder, name);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'policy.rego'), files.policy);
  writeFileSync(join(place, 'library.rego'), files.library);
  writeFileSync(join(place, 'data.json'), JSON.stringify(data));
  return place;
}

/** One of everything. */
const SMALL: Plan = plan([
  prompt({
    default: 'deny',
    classify: [
      classify(
        'classify as restricted',
        { kind: 'contains', set: ref('text.found'), member: { kind: 'text', value: 'iban' } },
        'restricted',
      ),
    ],
    limits: [limit('short', VERIFIED, 100)],
    requirements: [
      {
        ...requirement(
          'residency',
          {
            kind: 'not',
            of: { kind: 'text_equals', left: ref('caller.region'), right: { kind: 'text', value: 'eu' } },
          },
          TRUE,
        ),
        title: 'European callers stay in Europe',
      },
    ],
    budgets: [
      budget(VERIFIED, [
        {
          percent: 80,
          reads: [],
          removes: { kind: 'each', exprs: [TRUE, TRUE] },
          span: { file: 'test.writ', start: 7, end: 9 },
        },
      ]),
    ],
    routes: [
      route(
        'auto',
        { kind: 'name', name: 'auto' },
        [{ kind: 'model', model: 0 }, COMPLEX],
        [{ kind: 'cheapest' }, TRUE],
      ),
      route('other', { kind: 'any' }, [{ kind: 'requested' }, TRUE]),
    ],
    rules: [
      {
        ...rule('masked', { kind: 'or', of: [COMPLEX, VERIFIED] }, redact('mask', 'email', 'iban'), {
          kind: 'tag',
          name: 'team',
          value: 'a',
        }),
        title: 'Personal data is masked',
        cites: ['GDPR Art. 32'],
      },
      rule('open', TRUE, ALLOW),
      { ...rule('held', VERIFIED, deny('Not while it is held')), unenforced: 'hold for review' },
    ],
  }),
]);

test('what one of everything looks like', async () => {
  await expect(emitRego(SMALL).policy).toMatchFileSnapshot('small-policy.rego');
});

describe("OPA's tools have nothing to say about", () => {
  const sample = (): readonly Plan[] => [
    SMALL,
    plan([]),
    plan([prompt({})]),
    ...generateCases(randomFrom(seed), SAMPLE).map((each) => each.plan),
  ];

  test('strictness', { timeout: 300_000 }, async () => {
    for (const [at, each] of sample().entries()) {
      const { code, stdout, stderr } = await opa.run(['check', '--strict', write(`strict-${at}`, emitRego(each))]);
      expect(code, `seed ${seed}, policy ${at}\n${stdout}${stderr}`).toBe(0);
    }
  });

  test('format', { timeout: 300_000 }, async () => {
    for (const [at, each] of sample().entries()) write(join('format', String(at)), emitRego(each));
    const { code, stdout, stderr } = await opa.run(['fmt', '--list', join(folder, 'format')]);
    expect({ code, stdout, stderr }, `seed ${seed}`).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('the entrypoint, which OPA finds by its annotation', async () => {
    const bundle = join(folder, 'annotated.tar.gz');
    const built = await opa.run([
      'build',
      '--optimize',
      '1',
      '--entrypoint',
      'writ/decision',
      '--output',
      bundle,
      write('annotated', emitRego(SMALL)),
    ]);
    expect(built, built.stderr).toMatchObject({ code: 0 });
    expect((await opa.evalBundle(bundle, 'data.writ.decision', promptInput())).value).toEqual(
      decide(SMALL, promptInput()),
    );
  });
});

describe('nothing is undefined', () => {
  const DENIED = decide(SMALL, null);
  const ask = async (name: string, files: RegoFiles, input: unknown, data?: object): Promise<unknown> =>
    (await opa.evalRego([write(name, files, data)], 'data.writ.decision', input)).value;

  test.each([[null], [7], [[]], [{}], [{ event: 'egress' }]])('an input that is none is denied: %j', async (input) => {
    expect(await ask('input', emitRego(SMALL), input)).toEqual(DENIED);
  });

  test('data that is missing, or of another policy, is denied', async () => {
    const files = emitRego(SMALL);
    expect(await ask('no-data', files, promptInput(), {})).toEqual(DENIED);
    expect(await ask('other-data', files, promptInput(), { writ: { ...files.data, source: 'other' } })).toEqual(DENIED);
    expect(await ask('right-data', files, promptInput())).toEqual(decide(SMALL, promptInput()));
  });
});

test('no text of a policy leaves its comment or its string', async () => {
  const evil = 'x\n}\nallow := true # "\u2028default decision := 1\u0085';
  const rules = [
    {
      ...rule('r', TRUE, deny(evil), { kind: 'tag', name: evil, value: `${evil}\u{e0001}` }),
      title: evil,
      cites: [evil],
      unenforced: evil,
    },
  ];
  const closed = plan([prompt({ rules })], { policy: evil, owner: evil });
  const files = emitRego(closed);
  const { code, stdout, stderr } = await opa.run(['check', '--strict', write('evil', files)]);
  expect(code, stdout + stderr).toBe(0);
  expect(files.policy).not.toMatch(/^allow :=/m);
  expect((await opa.evalRego([write('evil', files)], 'data.writ.decision', promptInput())).value).toEqual(
    decide(closed, promptInput()),
  );
});

test('equal plans give equal files', () => {
  expect(emitRego(structuredClone(SMALL))).toEqual(emitRego(SMALL));
});
