// A contender in this Node, in a process of its own: its id in the first argument, questions as ask-child.ts has them.
import { readFileSync } from 'node:fs';
import { hostFor } from '../../text/engine.ts';
import { answer } from '../ask-child.ts';
import { microsecondsPerCall } from '../time-calls.ts';
import type { ScanAnswer } from './contender.ts';
import { lookaroundPatterns } from './patterns.ts';

export interface ScanQuestion {
  readonly file: string;
  readonly seconds: number;
}

type Scan = (text: string, seconds: number) => ScanAnswer;

const scanners: Readonly<Record<string, () => Promise<Scan>>> = {
  writ: async () => {
    const host = await hostFor();
    return (text, seconds) => {
      const length = host.write(text);
      return {
        megabytesPerSecond: length / microsecondsPerCall(() => host.scanOnly(length), seconds),
        hits: host.scanWritten(length).length,
      };
    };
  },
  regexp: async () => {
    const patterns = lookaroundPatterns.map((pattern) => new RegExp(pattern, 'gu'));
    const hitsIn = (text: string): number => {
      let hits = 0;
      for (const pattern of patterns) for (const _ of text.matchAll(pattern)) hits++;
      return hits;
    };
    return (text, seconds) => ({
      megabytesPerSecond: Buffer.byteLength(text) / microsecondsPerCall(() => hitsIn(text), seconds),
      hits: hitsIn(text),
    });
  },
};

const make = scanners[process.argv[2] ?? ''];
if (make === undefined) throw new Error(`there is no scanner ${process.argv[2]}`);
const scan = await make();
await answer({}, async (question) => {
  const { file, seconds } = question as ScanQuestion;
  return scan(readFileSync(file, 'utf8'), seconds);
});
