// A sidecar in a process of its own, as it runs beside an Envoy: options as JSON in the first argument, its bootstrap
// as JSON on stdout once a release is in force. `echo` replaces the policy's filter by one that only passes: what the
// door costs without the kernel. To each line on stdin it answers how many bytes are alive in it.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fromBinary } from '@bufbuild/protobuf';
import { SignedBundleSchema } from '../../../proto/gen/writ/v1/bundle_pb.ts';
import { loadFilter } from '../../../filters/host/load-filter.ts';
import { startSidecar } from '../../../filters/sidecar/start-sidecar.ts';
import { scriptedFilter } from '../../e2e/scripted-filter.ts';
import { liveBytes } from '../live-bytes.ts';

interface Options {
  readonly stateFolder: string;
  readonly policy: string;
  readonly publicKeyPem: string;
  readonly kid: string;
  readonly releaseFile: string;
  readonly echo: boolean;
  readonly route: string;
  /** A fault: it keeps so many bytes more with every second. */
  readonly keepsPerSecond?: number;
  /** PEM. */
  readonly controlPlane?: {
    readonly address: string;
    readonly ca: string;
    readonly certificate: string;
    readonly key: string;
  };
}

const options: Options = JSON.parse(process.argv[2] ?? '{}');
const { controlPlane } = options;
const sidecar = await startSidecar({
  stateFolder: options.stateFolder,
  node: 'bench',
  policy: options.policy,
  keys: [{ kid: options.kid, publicKeyPem: options.publicKeyPem }],
  loadFilter: options.echo ? () => scriptedFilter({ route: options.route }) : loadFilter,
  adminPort: 0,
  version: '0.1.0',
  ...(controlPlane === undefined
    ? {}
    : {
        controlPlane: {
          address: controlPlane.address,
          ca: Buffer.from(controlPlane.ca),
          certificate: Buffer.from(controlPlane.certificate),
          key: Buffer.from(controlPlane.key),
        },
      }),
  alarm: (message) => process.stderr.write(`${message}\n`),
});
const kept: Buffer[] = [];
const { keepsPerSecond = 0 } = options;
if (keepsPerSecond > 0) setInterval(() => kept.push(Buffer.alloc(keepsPerSecond, 1)), 1_000);
await sidecar.offer(fromBinary(SignedBundleSchema, readFileSync(options.releaseFile)));
process.stdout.write(`${JSON.stringify(sidecar.bootstrap)}\n`);
createInterface({ input: process.stdin })
  .on('line', () => void liveBytes().then((bytes) => process.stdout.write(`${bytes}\n`)))
  .once('close', () => process.exit(0));
process.once('SIGTERM', () => void sidecar.stop().then(() => process.exit(0)));
