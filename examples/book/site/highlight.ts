/** `.writ` as HTML, coloured by the lexer that the compiler uses: what it reads as a word is a word here. */
import { lex } from '../../../dsl/lexer.ts';
import { sourceFile } from '../../../dsl/source.ts';
import {
  CLAUSE_WORDS,
  CONDITION_WORDS,
  DateToken,
  DECLARATION_WORDS,
  NumberToken,
  PatternToken,
  TextToken,
  TimeToken,
  UnclosedPattern,
  UnclosedText,
} from '../../../dsl/tokens.ts';

type Style = 'declaration' | 'clause' | 'condition' | 'text' | 'value' | 'pattern' | 'comment';

const WORDS: ReadonlyMap<string, Style> = new Map<string, Style>([
  ...CONDITION_WORDS.map((word) => [word, 'condition'] as const),
  ...CLAUSE_WORDS.map((word) => [word, 'clause'] as const),
]);
const DECLARATIONS: ReadonlySet<string> = new Set(DECLARATION_WORDS);
const TOKENS = new Map<object, Style>([
  [TextToken, 'text'],
  [UnclosedText, 'text'],
  [PatternToken, 'pattern'],
  [UnclosedPattern, 'pattern'],
  [NumberToken, 'value'],
  [DateToken, 'value'],
  [TimeToken, 'value'],
]);

export function highlightWrit(text: string): string {
  const { tokens, comments } = lex(sourceFile('example.writ', text));
  const marks = [
    ...tokens.map(({ startOffset, image, tokenType }) => {
      const first = startOffset === 0 || text[startOffset - 1] === '\n';
      const style = first && DECLARATIONS.has(image) ? 'declaration' : (TOKENS.get(tokenType) ?? WORDS.get(image));
      return { start: startOffset, end: startOffset + image.length, style };
    }),
    ...comments.map(({ span }) => ({ start: span.start, end: span.end, style: 'comment' as const })),
  ].sort((a, b) => a.start - b.start);
  let html = '';
  let at = 0;
  for (const { start, end, style } of marks) {
    if (style === undefined || start < at) continue;
    html += `${escapeHtml(text.slice(at, start))}<span class="${style}">${escapeHtml(text.slice(start, end))}</span>`;
    at = end;
  }
  return html + escapeHtml(text.slice(at));
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
