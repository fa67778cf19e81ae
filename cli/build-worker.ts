/** The thread in which a watched policy is built: an order in, a signed bundle or the reasons why there is none out. */
import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { signingKeyOf } from '../control-plane/keys/bundle-key.ts';
import { CommandError } from './command.ts';
import { bundleOf, compile, type CompileOptions } from './compile.ts';
import { diagnosticsText } from './diagnostics-output.ts';
import { passedOverText } from './door-option.ts';
import { importsOf } from './policy-files.ts';

export interface BuildOrder extends Pick<CompileOptions, 'path' | 'deployment' | 'door'> {
  readonly privateKeyPem: string;
  readonly colour: boolean;
}

export interface BuildResult {
  /** Null where the policy is wrong. */
  readonly bundle: Uint8Array | null;
  /** What there is to say, for people; empty where there is nothing. */
  readonly said: string;
  /** What the policy imports, there or not: absolute paths. */
  readonly imported: readonly string[];
}

// Orders come one at a time: whoever sends one waits for its answer.
parentPort?.on('message', (order: BuildOrder) => {
  void build(order).then((result) => parentPort?.postMessage(result));
});

async function build({ privateKeyPem, colour, ...options }: BuildOrder): Promise<BuildResult> {
  try {
    const { diagnostics, sources, compiled } = await compile({
      ...options,
      cwd: options.path,
      allowUnenforced: false,
    });
    const passedOver = compiled === null ? null : passedOverText(compiled.door);
    return {
      bundle: compiled === null ? null : bundleOf(compiled, signingKeyOf(privateKeyPem)),
      imported: sources.flatMap(importsOf).map((path) => join(options.path, path)),
      said: `${diagnosticsText(diagnostics, sources, colour)}${passedOver === null ? '' : `writ: ${passedOver}\n`}`,
    };
  } catch (error) {
    if (error instanceof CommandError) return { bundle: null, imported: [], said: `${error.message}\n` };
    throw error;
  }
}
