/** `writ test`: runs the policy's own tests through the compiled policy. */
import { BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import { positionOf, type SourceFile, type Span } from '../../dsl/source.ts';
import { loadFilter } from '../../filters/host/load-filter.ts';
import { type Command, onePath, parse } from '../command.ts';
import { compile } from '../compile.ts';
import { diagnosticsJson, diagnosticsText } from '../diagnostics-output.ts';
import { runTest, type TestResult } from '../policy-test/run-test.ts';

export const test: Command = {
  name: 'test',
  help: `usage: writ test PATH [--allow-unenforced] [--json]

Compiles the policy in PATH and runs its \`test\` declarations through the compiled policy: prompts and completions as real messages, so that what is found, redacted and sent is what a
sidecar would find, redact and send.

  --allow-unenforced  test although the policy uses forms that are not enforced yet: such rules deny
  --json              print {"tests":[…],"rulesNeverFired":[…]} on standard output

exit codes: 0 all passed, 1 a test failed, there is none, or the policy is wrong, 2 usage or operation`,
  async run(args, world) {
    const { values, positionals } = parse(this, args, {
      'allow-unenforced': { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    });
    const { diagnostics, sources, compiled } = await compile({
      path: onePath(this, positionals, 'PATH'),
      cwd: world.cwd,
      allowUnenforced: values['allow-unenforced'],
      deployment: null,
      wanted: new Set([BUNDLE_PATHS.filterWasm]),
    });
    if (compiled === null) {
      if (values.json) world.out(diagnosticsJson(diagnostics, sources));
      else world.err(diagnosticsText(diagnostics, sources, world.colour.err));
      return 1;
    }
    const { program, plan, files } = compiled;
    const filter = loadFilter(files.get(BUNDLE_PATHS.filterWasm)!);
    const results = program.tests.map((each) => runTest(each, { program, plan, filter }));
    const fired = new Set(results.flatMap((result) => result.fired));
    const never = program.rules.map((rule) => rule.name).filter((name) => !fired.has(name));
    world.out(
      values.json ? resultsJson(results, never, sources) : resultsText(results, never, sources, world.colour.out),
    );
    return results.length > 0 && results.every((result) => result.failures.length === 0) ? 0 : 1;
  },
};

function resultsJson(
  results: readonly TestResult[],
  rulesNeverFired: readonly string[],
  sources: readonly SourceFile[],
): string {
  const tests = results.map(({ title, span, failures }) => ({
    title,
    ...placeOf(span, sources),
    passed: failures.length === 0,
    failures: failures.map((failure) => ({ message: failure.message, ...placeOf(failure.span, sources) })),
  }));
  return `${JSON.stringify({ tests, rulesNeverFired }, null, 2)}\n`;
}

function resultsText(
  results: readonly TestResult[],
  never: readonly string[],
  sources: readonly SourceFile[],
  colour: boolean,
): string {
  const paint = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const rows = results.flatMap(({ title, failures }) => [
    `${failures.length === 0 ? paint(32, 'ok  ') : paint(31, 'FAIL')} ${title}`,
    ...failures.map((failure) => {
      const { file, line, column } = placeOf(failure.span, sources);
      return `       ${file}:${line}:${column}: ${failure.message}`;
    }),
  ]);
  const failed = results.filter((result) => result.failures.length > 0).length;
  const coverage =
    never.length === 0 ? 'every rule fired in some test' : `rules that fired in no test: ${never.join(', ')}`;
  const summary =
    results.length === 0 ? 'the policy has no tests' : `${results.length - failed} passed, ${failed} failed`;
  return `${[...rows, '', summary, coverage].join('\n')}\n`;
}

function placeOf(
  span: Span,
  sources: readonly SourceFile[],
): { readonly file: string; readonly line: number; readonly column: number } {
  const source = sources.find((file) => file.path === span.file);
  return { file: span.file, ...(source === undefined ? { line: 1, column: 1 } : positionOf(source, span.start)) };
}
