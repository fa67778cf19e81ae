/** Plans from source text, through the whole front: parsed, checked, lowered. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { lower } from '../../compiler/lower/lower.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import { checkProgram } from '../../dsl/check.ts';
import { sourceFile } from '../../dsl/source.ts';
import { detectors } from '../../filters/detectors/detectors.ts';

/** A file of a policy. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/** The plan of the `.writ` files of a folder. Throws with their diagnostics where they have errors. */
export function planOfFolder(folder: string): Plan {
  const names = readdirSync(folder).filter((name) => name.endsWith('.writ'));
  return planOfFiles(names.map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') })));
}

export function planOfFiles(files: readonly TextFile[]): Plan {
  const { program, diagnostics } = checkProgram(
    files.map(({ path, text }) => sourceFile(path, text)),
    detectors,
  );
  if (program === null)
    throw new Error(
      [...diagnostics.map((each) => `${each.code} ${each.message}`), ...files.map(({ text }) => text)].join('\n'),
    );
  return lower(program, { sourceHash: '0'.repeat(64), compilerVersion: '0.0.0' });
}
