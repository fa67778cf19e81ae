/** The kept inputs: one file, a JSON line each, bodies with one character a byte. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Input } from './fuzzer.ts';

const FILE = fileURLToPath(new URL('corpus.jsonl', import.meta.url));

export function readCorpus(): readonly Input[] {
  return readFileSync(FILE, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [target, body] = JSON.parse(line) as readonly [string, string];
      return { target, body: Buffer.from(body, 'latin1') };
    });
}

export function writeCorpus(inputs: readonly Input[]): void {
  const lines = inputs.map(({ target, body }) => JSON.stringify([target, Buffer.from(body).toString('latin1')]));
  writeFileSync(FILE, lines.map((line) => `${line}\n`).join(''));
}
