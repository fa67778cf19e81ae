/**
 * What only compiling finds: detectors that become too large, fields that no protocol lets a rule set, and rules that the
 * checker let through and the plan cannot hold. The latter deny, as every form does that is not enforced, and it is said.
 */
import { type Diagnostic, diagnostic, help } from '../dsl/diagnostic.ts';
import type { Program } from '../dsl/program.ts';
import type { Protocol } from '../filters/protocols/protocol.ts';
import type { Plan } from './plan/plan.ts';
import { settingDiagnostics } from './setting-diagnostics.ts';
import type { CompiledDetectors } from './text/compile-detectors.ts';

export function compileDiagnostics(
  program: Program,
  plan: Plan,
  problems: CompiledDetectors['problems'],
  protocols: readonly Protocol[],
): Diagnostic[] {
  return [
    ...detectorDiagnostics(program, problems),
    ...silentDenials(program, plan),
    ...settingDiagnostics(program, plan, protocols),
  ];
}

function detectorDiagnostics(program: Program, problems: CompiledDetectors['problems']): Diagnostic[] {
  return problems.map((problem) => {
    const declared = program.detectors.find((each) => each.name === problem.detector);
    return diagnostic('E0801', declared?.span ?? program.policy.span, problem.message, { help: [help(problem.help)] });
  });
}

function silentDenials(program: Program, plan: Plan): Diagnostic[] {
  const said = new Set(program.unenforced.map((use) => use.declaration));
  const rules = new Map(plan.events.flatMap((event) => event.rules).map((rule) => [rule.name, rule]));
  return [...rules.values()]
    .filter((rule) => rule.unenforced !== undefined && !said.has(rule.name))
    .map((rule) =>
      diagnostic('E0802', rule.span, `\`${rule.name}\` uses ${rule.unenforced}, which cannot be decided yet`, {
        help: [help('say it in another way, or build with `--allow-unenforced`: the rule then denies')],
      }),
    );
}
