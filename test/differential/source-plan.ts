/** Plans from source text, through the whole front: parsed, checked, lowered. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lower } from '../../compiler/lower/lower.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import { checkProgram } from '../../dsl/check.ts';
import { sourceFile } from '../../dsl/source.ts';
import { detectors } from '../../filters/detectors/detectors.ts';

/** The plan of the `.writ` files of a folder. Throws with their diagnostics where they have errors. */
export function planOfFolder(folder: string): Plan {
  const names = readdirSync(folder).filter((name) => name.endsWith('.writ'));
  const { program, diagnostics } = checkProgram(
    names.map((name) => sourceFile(name, readFileSync(join(folder, name), 'utf8'))),
    detectors,
  );
  if (program === null) throw new Error(diagnostics.map((each) => `${each.code} ${each.message}`).join('\n'));
  return lower(program, { sourceHash: '0'.repeat(64), compilerVersion: '0.0.0' });
}
