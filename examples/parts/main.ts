// `node examples/parts/main.ts install [part…]`: installs the real parts that the tests, the demo and the benchmark
// use. Exit codes: 0 all are there, 1 one could not be installed, 2 usage.
import * as chroma from './chroma.ts';
import * as chromium from './chromium.ts';
import * as envoy from './envoy.ts';
import * as llama from './llama.ts';
import * as opa from './opa.ts';
import { PartError } from './part-error.ts';

const parts: Readonly<Record<string, () => Promise<object>>> = {
  envoy: envoy.install,
  chroma: chroma.install,
  llama: llama.install,
  opa: opa.install,
  chromium: chromium.install,
};

process.exitCode = await main(process.argv.slice(2));

async function main([verb, ...names]: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !Object.hasOwn(parts, name));
  if (verb !== 'install' || unknown.length > 0) {
    process.stderr.write(`usage: node examples/parts/main.ts install [${Object.keys(parts).join('|')}]…\n`);
    return 2;
  }
  const chosen = Object.entries(parts).filter(([name]) => names.length === 0 || names.includes(name));
  // At once: most of them wait for the network, OPA for the processor.
  const installed = await Promise.all(chosen.map(([, install]) => succeeds(install)));
  return installed.every((success) => success) ? 0 : 1;
}

async function succeeds(install: () => Promise<object>): Promise<boolean> {
  try {
    await install();
    return true;
  } catch (error) {
    if (!(error instanceof PartError)) throw error;
    process.stderr.write(`writ: ${error.message}\n`);
    return false;
  }
}
