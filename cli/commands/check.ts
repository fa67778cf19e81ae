/** `writ check`: reads a policy and says what is wrong with it. */
import { checkProgram } from '../../dsl/check.ts';
import { type Command, onePath, parse } from '../command.ts';
import { detectorCatalog } from '../detector-catalog.ts';
import { diagnosticsJson, diagnosticsText, hasErrors } from '../diagnostics-output.ts';
import { readPolicyFiles } from '../policy-files.ts';

export const check: Command = {
  name: 'check',
  help: `usage: writ check PATH [--json]

Checks the policy in PATH, a \`.writ\` file or a folder of them, and prints every mistake with its place and its remedy.

  --json  print {"diagnostics":[…]} on standard output; lines and columns count from 1

exit codes: 0 no errors (warnings may be), 1 errors, 2 PATH cannot be read`,
  async run(args, world) {
    const { values, positionals } = parse(this, args, { json: { type: 'boolean', default: false } });
    const { files } = await readPolicyFiles(onePath(this, positionals, 'PATH'), world.cwd);
    const { program, diagnostics } = checkProgram(files, detectorCatalog);
    if (values.json) world.out(diagnosticsJson(diagnostics, files));
    else if (diagnostics.length > 0) world.err(diagnosticsText(diagnostics, files, world.colour.err));
    if (hasErrors(diagnostics) || program === null) return 1;
    if (!values.json) world.out(`${program.policy.name}: ${files.length} file${files.length === 1 ? '' : 's'}, ${program.rules.length} rules, no errors\n`);
    return 0;
  },
};
