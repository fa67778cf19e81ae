/** `writ check`: reads a policy and says what is wrong with it, or explains a diagnostic. */
import { checkProgram } from '../../dsl/check.ts';
import { expiryDiagnostics } from '../../dsl/expiry.ts';
import type { Program } from '../../dsl/program.ts';
import { DIAGNOSTICS } from '../../dsl/diagnostics-catalogue.ts';
import { type Command, CommandError, type ExitCode, onePath, parse, type World } from '../command.ts';
import { detectorCatalog } from '../detector-catalog.ts';
import { diagnosticsJson, diagnosticsText, hasErrors } from '../diagnostics-output.ts';
import { readPolicyFiles } from '../policy-files.ts';
import { TODAY_HELP, todayFrom, todayOption } from '../today-option.ts';

export const check: Command = {
  name: 'check',
  help: `usage: writ check PATH [--today DAY] [--json]
       writ check --explain CODE [--json]

Checks the policy in PATH, a \`.writ\` file or a folder of them, and prints every mistake with its place and its remedy.

  --today DAY     ${TODAY_HELP}
  --json          print {"diagnostics":[…]} on standard output; lines and columns count from 1
  --explain CODE  say what the code of a mistake means, with an example and how it is mended; \`all\` lists the codes

exit codes: 0 no errors (warnings may be), 1 errors, 2 PATH cannot be read, or there is no such CODE`,
  async run(args, world) {
    const { values, positionals } = parse(this, args, {
      ...todayOption,
      json: { type: 'boolean', default: false },
      explain: { type: 'string' },
    });
    if (values.explain !== undefined) return explainCode(values.explain, positionals, values.json, world);
    const today = todayFrom(values.today);
    const { files } = await readPolicyFiles(onePath(this, positionals, 'PATH'), world.cwd);
    const checked = checkProgram(files, detectorCatalog);
    const { program } = checked;
    const diagnostics = [...checked.diagnostics, ...(program === null ? [] : expiryDiagnostics(program, today))];
    if (values.json) world.out(diagnosticsJson(diagnostics, files));
    else if (diagnostics.length > 0) world.err(diagnosticsText(diagnostics, files, world.colour.err));
    if (hasErrors(diagnostics) || program === null) return 1;
    if (!values.json) world.out(summary(program, files.length));
    return 0;
  },
};

async function explainCode(written: string, paths: readonly string[], json: boolean, world: World): Promise<ExitCode> {
  if (paths.length > 0) throw new CommandError('`--explain` takes a code and no PATH', '`writ check --help` shows how');
  const { CODES, codeNamed, explain, nearCodes } = await import('../explain/explain-code.ts');
  const { codesText, explanationText } = await import('../explain/explanation-text.ts');
  if (written === 'all') {
    const codes = CODES.map((code) => ({ code, ...DIAGNOSTICS[code] }));
    world.out(json ? `${JSON.stringify({ codes }, null, 2)}\n` : codesText());
    return 0;
  }
  const code = codeNamed(written);
  if (code === null) {
    const near = nearCodes(written).map((each) => `\`${each}\` (${DIAGNOSTICS[each].title})`);
    throw new CommandError(
      `there is no diagnostic \`${written}\``,
      near.length === 0
        ? '`writ check --explain all` lists the codes'
        : `near it: ${near.join(', ')}; \`writ check --explain all\` lists the codes`,
    );
  }
  const explanation = explain(code);
  if (!json) world.out(explanationText(explanation));
  else {
    const { answer: _, ...data } = explanation;
    world.out(`${JSON.stringify(data, null, 2)}\n`);
  }
  return 0;
}

function summary({ policy, rules, routes, budgets, unenforced }: Program, files: number): string {
  const counts = [
    counted(files, 'file'),
    counted(rules.length, 'rule'),
    counted(routes.length, 'route'),
    counted(budgets.length, 'budget'),
  ];
  const refused =
    unenforced.length === 0
      ? ''
      : `\`writ build\` will refuse ${counted(unenforced.length, 'form')} that ${unenforced.length === 1 ? 'is' : 'are'} not enforced yet, and names ${unenforced.length === 1 ? 'it' : 'them'}\n`;
  return `${policy.name}: ${counts.join(', ')}, no errors\n${refused}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
