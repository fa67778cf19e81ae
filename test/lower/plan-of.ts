// A small policy around the declarations of a test, checked and lowered. Tests of lowering ask the interpreter what the
// plan means; they do not look at how the plan says it.
import { lower } from '../../compiler/lower/lower.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import { checkProgram } from '../../dsl/check.ts';
import { renderDiagnostic } from '../../dsl/render-diagnostic.ts';
import { sourceFile } from '../../dsl/source.ts';
import { detectors } from '../../filters/detectors/detectors.ts';

export interface PolicySettings {
  readonly prompt?: 'allow' | 'deny';
  readonly completion?: 'allow' | 'deny';
  readonly retrieval?: 'allow' | 'deny';
  readonly failure?: 'allow' | 'deny';
  readonly zone?: string;
}

export function planOf(declarations: string, settings: PolicySettings = {}): Plan {
  const file = sourceFile('test.writ', `${policy(settings)}\n${declarations}\n`);
  const catalog = detectors.map(({ name, title }) => ({ name, title, examples: [] }));
  const { program, diagnostics } = checkProgram([file], catalog);
  const errors = diagnostics.filter((each) => each.severity === 'error');
  if (program === null || errors.length > 0)
    throw new Error(
      errors.map((each) => renderDiagnostic(each, new Map([[file.path, file]]), { color: false })).join('\n'),
    );
  return lower(program, { sourceHash: '0'.repeat(64), compilerVersion: 'test' });
}

function policy({
  prompt = 'allow',
  completion = 'allow',
  retrieval = 'deny',
  failure = 'deny',
  zone = 'UTC',
}: PolicySettings): string {
  return `policy test {
  owner "a@b.example"
  currency usd
  time zone "${zone}"
  default prompt: ${prompt}
  default completion: ${completion}
  default retrieval: ${retrieval}
  default ingest: deny
  on failure: ${failure}
  base classification: internal
}
zone = onprem | external
region = eu | us
classification = public < internal < confidential < restricted
caller {
  id : text from claim "sub"
  region : region from claim "region"
  groups : set of text from claim "groups" else {}
  clearance : classification from claim "clearance" else public
  manager : optional text from claim "manager"
}
models { zone: zone  region: region  clearance: classification }
model big "big-1" {
  provider: openai zone: external region: us clearance: internal
  input_price: 2.50 usd per 1M tokens output_price: 10 usd per 1M tokens context: 8_000 tokens max_output: 500 tokens
}
model small "small-1" {
  provider: llama_cpp zone: onprem region: eu clearance: restricted
  input_price: 0.10 usd per 1M tokens output_price: 0.20 usd per 1M tokens context: 4_000 tokens max_output: 500 tokens
}
store docs chroma "docs" {
  groups : set of text from metadata "groups"
  classification : classification from metadata "classification" else restricted
  owner : optional text from metadata "owner"
  source : text from metadata "source"
  version : int from metadata "version"
}`;
}

export interface PromptFacts {
  readonly caller?: object;
  readonly prompt?: object;
  readonly found?: readonly string[];
  readonly budget?: object;
  readonly exchange?: object;
}

/** The input of a prompt's decision in which all is known and plain, but for what is given. */
export function promptInput({ caller = {}, prompt = {}, found = [], budget, exchange }: PromptFacts): object {
  return {
    event: 'prompt',
    caller: { id: 'u1', region: 'us', ...caller },
    prompt: {
      requested_model: 'big-1',
      input_tokens_bound: 100,
      tokens_estimate: 25,
      complexity: 100,
      bytes: 100,
      messages: [{ role: 'user', found }],
      ...prompt,
    },
    text: { found, found_restored: found },
    ...(budget === undefined ? {} : { budget }),
    ...(exchange === undefined ? {} : { exchange }),
  };
}
