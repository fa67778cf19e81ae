/**
 * How often some bytes stand in a row in running text, roughly: what makes one anchor better than another. Only speed
 * depends on it.
 */
import type { Halves } from './byte-set.ts';

/** Prose, a letter, a table, a log, source text: a little of what comes by. */
const SAMPLE = new TextEncoder()
  .encode(`The committee met on Tuesday, 14 March 2023, to discuss the results of the second quarter. Sales in the northern region had grown by 12.5 percent, while costs
remained at the level of 2021 and 2022. "We are pleased," said the chairman, "but there is still much to be done before the end of the year." Nobody in the room disagreed. The next meeting
will take place in September; until then, each of the departments should prepare its own report (see page 37) and send it to the secretary. What about the budget? It was approved last May.
Most people think that such a decision takes only a moment. In truth it took three weeks, several hundred messages and the patience of everyone who was asked to read them. Please summarise
the following text in five sentences, and explain why the author believes that small changes in the way we work can have large effects over time. Some of the key questions remain open.
Dear Ms Morgan, thank you for your letter. I have called the office twice, but could not reach anyone who knew about the matter. Could you let me know whether the documents that I sent on
Monday have arrived? I would also like to ask for a copy of the agreement, as mine was lost when we moved from Dublin to Manchester. Yours sincerely, Oliver Jones
Die Sitzung beginnt um neun Uhr und dauert etwa zwei Stunden. Wer nicht kommen kann, sagt bitte vorher ab. Über das Ergebnis werden alle Mitarbeiter am Freitag informiert.
Item 4: 1024 units at 3.50 each, 12 units at 199.00; total 3,584.00 and 2,388.00. Order 7731, shipped 2024-05-17 10:32:08, weight 12.4 kg, 3 of 4 boxes.
10482 3391 2207 58 120 4410 993 20480 77 31 60221 9983 15 2048 4096 8192 16384 32768
2024-05-17T10:32:08.114Z INFO server started on port 8080 in 412 ms, pid 20413, version 3.14.2
{"model":"small-1","messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"How do I sort a list?"}],"temperature":0.7,"max_tokens":512,"stream":true}
function total(items) { let sum = 0; for (const item of items) { sum += item.price * item.count; } return sum; } // Note: rounds down; see issue #1882
<p class="intro">A short <a href="/docs/index.html">introduction</a> to the tools.</p> - [ ] write tests - [x] update the README.md
`);

/** What stands for a byte that the sample does not have. */
const RARE = 1e-4;
const SHARES: readonly number[] = Array.from({ length: 256 }, (_, byte) =>
  Math.max(RARE, SAMPLE.filter((each) => each === byte).length / SAMPLE.length),
);

const frequencies = new Map<string, number>();
/** Results that are remembered: the search for buckets asks for the same ones again and again. */
const FREQUENCIES_MAX = 65_536;

/**
 * Share of the places in running text at which bytes of the sets stand in a row, as the prefilter's tables of halves see
 * them. Where the sample has few such places, what independent bytes would give counts too.
 */
export function frequencyOf(sets: readonly Halves[]): number {
  const key = String.fromCharCode(...sets.flatMap(({ low, high }) => [low, high]));
  const known = frequencies.get(key);
  if (known !== undefined) return known;
  if (frequencies.size >= FREQUENCIES_MAX) frequencies.clear();
  const frequency = countedFrequency(sets.map(bitmapOfHalves));
  frequencies.set(key, frequency);
  return frequency;
}

function countedFrequency(bitmaps: readonly Uint8Array[]): number {
  let places = 0;
  for (let i = 0; i + bitmaps.length <= SAMPLE.length; i += 1) {
    let at = 0;
    while (at < bitmaps.length && bitmaps[at]![SAMPLE[i + at]!] === 1) at += 1;
    if (at === bitmaps.length) places += 1;
  }
  const independent = bitmaps.map(shareOf).reduce((product, share) => product * share, 1);
  return places / SAMPLE.length + independent / 10;
}

/** For each byte whether the halves admit it: 1 or 0. */
function bitmapOfHalves({ low, high }: Halves): Uint8Array {
  const bitmap = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte += 1) bitmap[byte] = (low >> (byte & 15)) & (high >> (byte >> 4)) & 1;
  return bitmap;
}

function shareOf(bitmap: Uint8Array): number {
  let share = 0;
  for (let byte = 0; byte < 256; byte += 1) if (bitmap[byte] === 1) share += SHARES[byte]!;
  return Math.min(1, share);
}
