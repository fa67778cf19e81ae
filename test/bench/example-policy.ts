// The example policy, compiled as `writ build` compiles it.
import { fileURLToPath } from 'node:url';
import type { Door } from '../../proto/door.ts';
import { compile, type Compiled } from '../../cli/compile.ts';

export const EXAMPLE = fileURLToPath(new URL('../../examples/acme', import.meta.url));

export async function examplePolicy(): Promise<Compiled> {
  return compiledPolicy(EXAMPLE, null);
}

/** `deployment` is a path; null takes the one in the policy's folder. */
export async function compiledPolicy(path: string, deployment: string | null, door?: Door): Promise<Compiled> {
  const { compiled, diagnostics } = await compile({
    ...{ path, cwd: '/', allowUnenforced: false, deployment },
    ...(door === undefined ? {} : { door }),
  });
  if (compiled === null)
    throw new Error(`${path} has errors: ${diagnostics.map(({ code, message }) => `${code} ${message}`).join('; ')}`);
  return compiled;
}
