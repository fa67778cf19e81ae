// What the sidecar keeps of the records that it has seen: equal ones are read and counted as one, and how many are kept
// is bounded.
import { describe, expect, test } from 'vitest';
import { DecisionTally, RECORDS_MAX, RECORD_LENGTH_MAX } from '../../filters/sidecar/decision-tally.ts';
import { KnownTexts, TEXTS_MAX, TEXT_LENGTH_MAX } from '../../filters/sidecar/known-texts.ts';

const record = (rule: string): string => JSON.stringify({ event: 'prompt', outcome: 'deny', fired: [rule] });

describe('a tally', () => {
  const told: [rules: readonly string[], times: number][] = [];
  const tallyOf = (): DecisionTally => {
    told.length = 0;
    return new DecisionTally(({ rules }, times) => told.push([rules, times]));
  };

  test('tells equal records once, when it is asked, and never again', () => {
    const tally = tallyOf();
    for (const rule of ['a', 'b', 'a']) tally.add(record(rule));
    expect(told).toEqual([]);
    tally.flush();
    tally.flush();
    expect(told).toEqual([
      [['a'], 2],
      [['b'], 1],
    ]);
  });

  test('loses no record where more are different than it counts apart', () => {
    const tally = tallyOf();
    for (let at = 0; at <= RECORDS_MAX; at++) tally.add(record(`r${at}`));
    expect(told).toHaveLength(RECORDS_MAX);
    tally.add(record('r0'));
    tally.flush();
    expect(told).toHaveLength(RECORDS_MAX + 2);
    expect(told.reduce((sum, [, times]) => sum + times, 0)).toBe(RECORDS_MAX + 2);
  });

  test('keeps no long record', () => {
    const tally = tallyOf();
    const long = record('x'.repeat(RECORD_LENGTH_MAX));
    tally.add(long);
    tally.add(long);
    expect(told).toHaveLength(2);
  });
});

describe('known texts', () => {
  test('are read once, as many as are kept, and anew after that', () => {
    let reads = 0;
    const known = new KnownTexts((text) => {
      reads++;
      return text.length;
    });
    for (let at = 0; at < TEXTS_MAX; at++) known.of(`t${at}`);
    expect(known.of('t0')).toBe(2);
    expect(reads).toBe(TEXTS_MAX);
    known.of('one more');
    known.of('t0');
    expect(reads).toBe(TEXTS_MAX + 2);
  });

  test('that are long are read each time', () => {
    let reads = 0;
    const known = new KnownTexts(() => ++reads);
    for (const length of [TEXT_LENGTH_MAX, TEXT_LENGTH_MAX, TEXT_LENGTH_MAX + 1, TEXT_LENGTH_MAX + 1])
      known.of('x'.repeat(length));
    expect(reads).toBe(3);
  });
});
