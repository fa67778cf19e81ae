/**
 * A copy of a text that keeps nothing else in memory. A piece of a text that was split or sliced refers to all of that
 * text in V8: kept for long, a line of a hundred bytes keeps the message of a megabyte that it came in.
 */
export function ownText(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
