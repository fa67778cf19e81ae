/**
 * The emitted Rego on the real OPA: many policies and inputs in one process, because OPA is slow to start. Each policy
 * moves to a package of its own, and a harness asks for all decisions.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emitRego, type RegoFiles } from '../../compiler/rego/emit-rego.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import { run } from '../../examples/parts/opa.ts';
import type { Backend, Case } from './backend.ts';

/** Policies in one process. */
const BATCH = 40;

export function regoBackend(policies: number, emit: (plan: Plan) => RegoFiles = emitRego): Backend {
  return {
    name: 'Rego on OPA',
    policies,
    async decideAll(cases) {
      const decisions: (readonly unknown[])[] = [];
      for (let start = 0; start < cases.length; start += BATCH)
        decisions.push(...(await decideBatch(cases.slice(start, start + BATCH), emit)));
      return decisions;
    },
  };
}

async function decideBatch(
  cases: readonly Case[],
  emit: (plan: Plan) => RegoFiles,
): Promise<readonly (readonly unknown[])[]> {
  const folder = mkdtempSync(join(tmpdir(), 'writ-rego-'));
  try {
    const data: { [name: string]: unknown } = {
      inputs: Object.fromEntries(cases.map(({ inputs }, at) => [`p${at}`, inputs])),
    };
    for (const [at, { plan }] of cases.entries()) {
      const files = emit(plan);
      const moved = (rego: string): string =>
        rego.replace('package writ', `package p${at}.writ`).replaceAll('data.writ.', `data.p${at}.writ.`);
      writeFileSync(join(folder, `p${at}.rego`), moved(files.policy));
      writeFileSync(join(folder, `p${at}-library.rego`), moved(files.library));
      data[`p${at}`] = { writ: files.data };
    }
    writeFileSync(join(folder, 'data.json'), JSON.stringify(data));
    const asked = cases.map(
      (_, at) =>
        `results.p${at} := [decision | some each in data.inputs.p${at}; decision := data.p${at}.writ.decision with input as each]`,
    );
    writeFileSync(join(folder, 'harness.rego'), ['package harness', ...asked].join('\n\n'));

    const { code, stdout, stderr } = await run(['eval', '--format', 'json', '--data', folder, 'data.harness.results'], {
      timeoutMs: 300_000,
    });
    if (code !== 0)
      throw new Error(`opa eval ended with code ${code}\n${stdout.slice(0, 4_000)}${stderr.slice(0, 4_000)}`);
    const { result } = JSON.parse(stdout) as {
      readonly result: readonly [
        { readonly expressions: readonly [{ readonly value: { readonly [name: string]: readonly unknown[] } }] },
      ];
    };
    const { value } = result[0].expressions[0];
    return cases.map((_, at) => value[`p${at}`] ?? []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
