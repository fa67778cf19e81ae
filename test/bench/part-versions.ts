// What the real parts say of their versions.
import { runCommand } from '../../examples/parts/command.ts';
import { install as installEnvoy } from '../../examples/parts/envoy.ts';
import { findGo } from '../../examples/parts/go.ts';
import { run as runOpa } from '../../examples/parts/opa.ts';

type Versions = { readonly [name: string]: string };

export async function envoyVersions(): Promise<Versions> {
  const { binary } = await installEnvoy();
  const { stdout: envoy } = await runCommand('envoy', binary, ['--version']);
  const { stdout: go } = await runCommand('go', await findGo(), ['env', 'GOVERSION']);
  return { Envoy: versionIn(envoy), Go: versionIn(go) };
}

export async function opaVersions(): Promise<Versions> {
  return { OPA: versionIn((await runOpa(['version'])).stdout) };
}

function versionIn(text: string): string {
  const version = /\d+\.\d+\.\d+/.exec(text)?.[0];
  if (version === undefined) throw new Error(`there is no version in ${JSON.stringify(text.slice(0, 200))}`);
  return version;
}
