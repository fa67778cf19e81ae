/**
 * How long a release takes from its push to every one of many nodes: one control plane, nodes with a connection and
 * mTLS each, in a process of their own, and a bundle of the size of the example's. A node here takes the release as the
 * sidecar's client does, and acknowledges; what the sidecar then does with it is its own and is measured by the demo.
 *
 *   node test/bench/fan-out.ts [nodes] [kilobytes] [pushes]
 */
import { randomBytes } from 'node:crypto';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { BUNDLE_PATHS } from '../../compiler/bundle/bundle-paths.ts';
import { writeBundle } from '../../compiler/bundle/write-bundle.ts';
import { issueCertificate } from '../../control-plane/keys/certificate.ts';
import { Admin } from '../../proto/gen/writ/v1/admin_pb.ts';
import { unaryCall } from '../../proto/grpc-call.ts';
import type { Received } from './fan-out-nodes.ts';
import { admin, authority, bundleKey, node, startTestControlPlane, testRelease } from '../control-plane/fixtures.ts';

const [nodes = 1_000, kilobytes = 300, pushes = 3] = process.argv.slice(2).map(Number);

/** Of bytes that do not compress, as a bundle's content is compressed already. */
function bundleOf(size: number): Uint8Array {
  const plan = { events: [{ kind: 'prompt', budgets: [] }] };
  const files = new Map([
    [BUNDLE_PATHS.data, Buffer.from('{"writ":{}}')],
    [BUNDLE_PATHS.plan, Buffer.from(JSON.stringify(plan))],
    [BUNDLE_PATHS.rego, Buffer.from('package writ\n\ndecision := {"outcome": "deny"}\n')],
    [BUNDLE_PATHS.filterWasm, randomBytes(size)],
  ]);
  const options = { policy: 'acme', compilerVersion: '0.1.0', sourceHash: '0'.repeat(64), planVersion: 1 };
  return writeBundle(files, { ...options, key: bundleKey.signing });
}

function cpuMs({ user, system }: NodeJS.CpuUsage): number {
  return Math.round((user + system) / 1_000);
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

const control = await startTestControlPlane();
const credential = issueCertificate(authority, node('n1'), [], Date.now());
const child = fork(fileURLToPath(new URL('fan-out-nodes.ts', import.meta.url)), {
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
});
child.send({ nodes, port: control.plane.ports.grpc, authorityPem: authority.certificatePem, ...credential });
await once(child, 'message');
process.stdout.write(
  `${nodes} nodes, a bundle of ${kilobytes} KB, ${cpus().length} × ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}\n`,
);
for (let sequence = 1; sequence <= pushes; sequence++) {
  const release = testRelease(bundleOf(kilobytes * 1_000), sequence);
  const arrived = once(child, 'message');
  const cpu = process.cpuUsage();
  // The child's clock is ours: one machine.
  const began = Date.now();
  await unaryCall(control.client(admin), Admin.method.push, release, { timeoutMs: 60_000 });
  const pushed = Date.now() - began;
  const [received]: readonly Received[] = await arrived;
  const spent = process.cpuUsage(cpu);
  const ms = (received?.arrivals ?? []).map((time) => time - began).sort((a, b) => a - b);
  process.stdout.write(
    `push ${sequence}: answered ${pushed} ms; at the nodes p50 ${at(ms, 0.5)} p99 ${at(ms, 0.99)} last ${at(ms, 1)} ms; ` +
      `CPU: control plane ${cpuMs(spent)} ms, nodes ${Math.round(received?.cpuMs ?? NaN)} ms; ` +
      `control plane at most ${Math.round(process.resourceUsage().maxRSS / 1_000)} MB\n`,
  );
}
child.kill();
await control.stop();
