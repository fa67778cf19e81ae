/** What `writ check --explain` says of a diagnostic: the catalogue's words, its example, and what the checker answers. */
import { type Diagnostic, diagnosticToJson } from '../../dsl/diagnostic.ts';
import { type DiagnosticCode, DIAGNOSTICS } from '../../dsl/diagnostics-catalogue.ts';
import { editDistance } from '../../dsl/did-you-mean.ts';
import { exampleOf } from '../../dsl/explain/examples.ts';
import { renderDiagnostic } from '../../dsl/render-diagnostic.ts';
import { detectorCatalog } from '../detector-catalog.ts';
import { answerOf } from './answer-of.ts';

export interface Explanation {
  readonly code: DiagnosticCode;
  readonly severity: 'error' | 'warning';
  readonly title: string;
  readonly why: string;
  /** Source that gets the diagnostic; long ones are shortened. */
  readonly wrong: string;
  /** What is answered to it, as the command line prints it. */
  readonly answer: string;
  /** The same as JSON. */
  readonly diagnostics: readonly ReturnType<typeof diagnosticToJson>[];
  /** Source without the mistake; null where only waiting mends it. */
  readonly right: string | null;
}

const LINE_CHARACTERS_MAX = 100;
const LINES_MAX = 40;
/** How many lines of a longer example are shown, at its beginning and at its end. */
const LINES_SHOWN = 6;
/** How far a code may be from what was written to be shown as near it, and how many are shown. */
const NEAR_EDITS_MAX = 2;
const NEAR_CODES_MAX = 3;

export const CODES = Object.keys(DIAGNOSTICS).sort(byFamily) as DiagnosticCode[];

export function explain(code: DiagnosticCode): Explanation {
  const { title, explanation } = DIAGNOSTICS[code];
  const { wrong, right, ...how } = exampleOf(code);
  const { found, files } = answerOf({ code, source: wrong, ...how }, detectorCatalog);
  const about = found.filter((each) => each.code === code);
  return {
    code,
    severity: code.startsWith('W') ? 'warning' : 'error',
    title,
    why: explanation,
    wrong: shortened(wrong),
    answer: about.map((each: Diagnostic) => renderDiagnostic(each, files, { color: false })).join('\n'),
    diagnostics: about.map((each) => diagnosticToJson(each, files)),
    right: right === null ? null : shortened(right),
  };
}

/** The code as it is in the catalogue, however its letter was written; null if there is none. */
export function codeNamed(written: string): DiagnosticCode | null {
  return CODES.find((code) => code === written.trim().toUpperCase()) ?? null;
}

/** The codes that were probably meant: those of the same letter first, then the nearest. */
export function nearCodes(written: string): DiagnosticCode[] {
  const wanted = written
    .trim()
    .toUpperCase()
    .replace(/\d+/, (digits) => digits.padStart(4, '0'));
  const number = Number(/\d+/.exec(wanted)?.[0] ?? Number.NaN);
  const otherLetter = (code: DiagnosticCode): number => (code[0] === wanted[0] ? 0 : 1);
  const edits = (code: DiagnosticCode): number => editDistance(wanted, code);
  const apart = (code: DiagnosticCode): number => Math.abs(Number(code.slice(1)) - number);
  return CODES.filter((code) => edits(code) <= NEAR_EDITS_MAX)
    .sort((a, b) => otherLetter(a) - otherLetter(b) || edits(a) - edits(b) || apart(a) - apart(b))
    .slice(0, NEAR_CODES_MAX);
}

/** An example is read, not compiled: what makes a file too large is not printed. */
function shortened(source: string): string {
  const all = source.trimEnd().split('\n');
  const lines =
    all.length <= LINES_MAX
      ? all
      : [
          ...all.slice(0, LINES_SHOWN),
          `… (${all.length.toLocaleString('en')} lines in all)`,
          ...all.slice(-LINES_SHOWN),
        ];
  const shown = lines.map((line) =>
    line.length > LINE_CHARACTERS_MAX
      ? `${line.slice(0, LINE_CHARACTERS_MAX)}… (${line.length.toLocaleString('en')} characters)`
      : line,
  );
  return `${shown.join('\n')}\n`;
}

/** Errors before warnings, each by number. */
function byFamily(a: string, b: string): number {
  return a < b ? -1 : 1;
}
