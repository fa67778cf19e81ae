// The targets that are not ours: the upstream itself, Envoy with nothing in it, with a proxy-wasm filter that does
// nothing, and with an external processor in Go that only echoes.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { start as startEnvoy } from '../../../examples/parts/envoy.ts';
import { freePort } from '../../../examples/parts/free-port.ts';
import { startProgram } from '../child.ts';
import { goProgram } from '../go-programs.ts';
import { noopWasm } from './noop-wasm.ts';
import { externalProcessor, grpcCluster, plainEnvoy, wasmFilter, type PlainEnvoy } from './plain-envoy.ts';
import type { Place, Target, TargetKind } from './target.ts';

export const directTarget: TargetKind = {
  id: 'direct',
  name: 'no Envoy: the upstream itself',
  isPeer: false,
  start: async ({ upstreamPort }) => ({ port: upstreamPort, headers: {}, processes: {} }),
};

export const bareTarget: TargetKind = {
  id: 'bare',
  name: 'bare Envoy',
  isPeer: false,
  start: (place) => startPlain(place, {}),
};

export const noopWasmTarget: TargetKind = {
  id: 'noop-wasm',
  name: 'Envoy + a proxy-wasm filter that does nothing',
  isPeer: false,
  start: async (place) => {
    const file = join(place.folder, 'noop.wasm');
    writeFileSync(file, noopWasm());
    return startPlain(place, { filters: [wasmFilter(file)] });
  },
};

export const goEchoTarget: TargetKind = {
  id: 'go-echo',
  name: 'Envoy + a Go ext_proc that only echoes',
  isPeer: true,
  start: async (place) => {
    const socket = join(place.folder, 'echo.sock');
    const echo = await startProgram(await goProgram('echo'), [socket]);
    place.cleanups.add(echo.stop);
    const target = await startPlain(place, {
      filters: [externalProcessor('echo')],
      clusters: [grpcCluster('echo', socket)],
    });
    return { ...target, processes: { ...target.processes, processor: echo.pid } };
  },
};

export async function startPlain(
  { upstreamPort, cleanups }: Place,
  parts: Pick<PlainEnvoy, 'filters' | 'clusters'>,
): Promise<Target> {
  const port = await freePort();
  const envoy = await startEnvoy({ config: plainEnvoy({ port, upstreamPort, ...parts }), concurrency: 1 });
  cleanups.add(() => envoy.stop());
  return { port, headers: {}, processes: { envoy: envoy.pid } };
}
