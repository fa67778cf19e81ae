// One policy, every artefact that a person reads. `WRIT_UPDATE=1` writes the goldens anew; what changes in them is what
// a reviewer must see.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compile } from '../../cli/compile.ts';

const GOLDENS = new URL('acme', import.meta.url).pathname;
const READABLE = /\.(rego|json|txt|d\.ts)$/;

const { compiled } = await compile({
  path: new URL('../../examples/acme', import.meta.url).pathname,
  cwd: '/',
  allowUnenforced: false,
  deployment: null,
});
const artefacts = [...(compiled?.files ?? [])].filter(([path]) => READABLE.test(path) && !path.includes('/source/'));

describe('the example policy', () => {
  test('compiles', () => expect(artefacts.length).toBeGreaterThan(8));

  test.each(artefacts)('%s', (path, bytes) => {
    const golden = join(GOLDENS, path);
    const text = new TextDecoder().decode(bytes);
    if (process.env['WRIT_UPDATE'] === '1') {
      mkdirSync(dirname(golden), { recursive: true });
      writeFileSync(golden, text);
    }
    expect(text).toBe(readFileSync(golden, 'utf8'));
  });
});
