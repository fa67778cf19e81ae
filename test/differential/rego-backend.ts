/**
 * The emitted Rego on the real OPA: many policies and inputs in one process, because OPA is slow to start. Each policy
 * moves to a package of its own, and a harness asks for all decisions.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emitRego, type RegoFiles } from '../../compiler/rego/emit-rego.ts';
import { run } from '../../examples/parts/opa.ts';
import type { Backend } from './backend.ts';

/** Policies in one process. */
const BATCH = 40;

export function regoBackend(policies: number): Backend {
  return {
    name: 'Rego on OPA',
    policies,
    decideAll: (cases) => decideRego(cases.map(({ plan, inputs }) => ({ files: emitRego(plan), inputs }))),
  };
}

/** A policy's Rego, as emitted or with a fault in it, and the inputs that it decides. */
export interface RegoCase {
  readonly files: RegoFiles;
  readonly inputs: readonly unknown[];
}

/** The decisions, input by input; null where OPA found none. */
export async function decideRego(cases: readonly RegoCase[]): Promise<readonly (readonly unknown[])[]> {
  const decisions: (readonly unknown[])[] = [];
  for (let start = 0; start < cases.length; start += BATCH)
    decisions.push(...(await decideBatch(cases.slice(start, start + BATCH))));
  return decisions;
}

async function decideBatch(cases: readonly RegoCase[]): Promise<readonly (readonly unknown[])[]> {
  const folder = mkdtempSync(join(tmpdir(), 'writ-rego-'));
  try {
    const data: { [name: string]: unknown } = {
      inputs: Object.fromEntries(cases.map(({ inputs }, at) => [`p${at}`, inputs])),
    };
    for (const [at, { files }] of cases.entries()) {
      const moved = (rego: string): string =>
        rego.replace('package writ', `package p${at}.writ`).replaceAll('data.writ.', `data.p${at}.writ.`);
      writeFileSync(join(folder, `p${at}.rego`), moved(files.policy));
      writeFileSync(join(folder, `p${at}-library.rego`), moved(files.library));
      data[`p${at}`] = { writ: files.data };
    }
    writeFileSync(join(folder, 'data.json'), JSON.stringify(data));
    const asked = cases.map(
      (_, at) =>
        `results.p${at} := {place: decision | some place, each in data.inputs.p${at}; decision := data.p${at}.writ.decision with input as each}`,
    );
    writeFileSync(join(folder, 'harness.rego'), ['package harness', ...asked].join('\n\n'));

    const { code, stdout, stderr } = await run(['eval', '--format', 'json', '--data', folder, 'data.harness.results'], {
      timeoutMs: 300_000,
    });
    if (code !== 0)
      throw new Error(`opa eval ended with code ${code}\n${stdout.slice(0, 4_000)}${stderr.slice(0, 4_000)}`);
    const { result } = JSON.parse(stdout) as {
      readonly result: readonly [
        {
          readonly expressions: readonly [
            { readonly value: { readonly [policy: string]: { readonly [place: string]: unknown } } },
          ];
        },
      ];
    };
    const { value } = result[0].expressions[0];
    return cases.map(({ inputs }, at) => inputs.map((_, place) => value[`p${at}`]?.[place] ?? null));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
