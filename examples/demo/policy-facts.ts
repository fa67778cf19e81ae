/**
 * What the demo reads of the policy to check its effects by other means: the models' wire names and prices, and the
 * budgets' limits. It reads no rule.
 */
import { detectorCatalog } from '../../cli/detector-catalog.ts';
import { readPolicyFiles } from '../../cli/policy-files.ts';
import { checkProgram } from '../../dsl/check.ts';
import type { Program } from '../../dsl/program.ts';
import type { Price } from './prices.ts';

export interface Model {
  /** What clients ask for and the upstream is sent. */
  readonly wire: string;
  readonly price: Price;
}

export interface PolicyFacts {
  model(name: string): Model;
  /** Micro-units. */
  budgetLimit(name: string): bigint;
}

/** Throws where the policy is wrong. */
export async function readPolicyFacts(folder: string): Promise<PolicyFacts> {
  const { files } = await readPolicyFiles(folder, folder);
  const { program, diagnostics } = checkProgram(files, detectorCatalog);
  if (program === null) throw new Error(`the policy is wrong: ${diagnostics[0]?.message ?? ''}`);
  return {
    model(name) {
      const { wireName, inputPrice, outputPrice } = named(program.models, name);
      return { wire: wireName, price: { input: inputPrice, output: outputPrice } };
    },
    budgetLimit: (name) => BigInt(named(program.budgets, name).limit.micros),
  };
}

function named<T extends { readonly name: string }>(all: readonly T[], name: string): T {
  const found = all.find((each) => each.name === name);
  if (found === undefined) throw new Error(`the policy has no \`${name}\``);
  return found;
}
