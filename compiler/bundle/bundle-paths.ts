// What stands where in a bundle. Paths begin with a slash, as OPA writes them. OPA reads every file whose base name is
// `data.json`, `plan.json`, `policy.wasm` or `*.rego`, in any folder: ours are named so that OPA ignores what is not
// for it.

/** Files by path, e.g. `/data.json`. */
export type BundleFiles = ReadonlyMap<string, Uint8Array>;

export const MANIFEST_PATH = '/.manifest';
export const SIGNATURES_PATH = '/.signatures.json';

export const BUNDLE_PATHS = {
  data: '/data.json',
  rego: '/writ/policy.rego',
  regoLibrary: '/writ/library.rego',
  policyWasm: '/policy.wasm',
  filterWasm: '/filter.wasm',
  plan: '/writ/policy.plan.json',
  reportJson: '/writ/report.json',
  reportText: '/writ/report.txt',
  envoy: '/writ/envoy.json',
  deployment: '/writ/deployment.json',
  inputSchema: '/writ/schema/input.schema.json',
  decisionSchema: '/writ/schema/decision.schema.json',
  types: '/writ/types.d.ts',
} as const;

/**
 * Where a source file of the policy stands; `file` is relative to the policy's folder. What lies outside of it stands
 * below a name that no file of the folder has: those that begin with a dot are no part of a policy.
 */
export function sourcePath(file: string): string {
  return `/writ/source/${file.replaceAll('../', '.outside/')}`;
}

/** The OPA entrypoint. */
export const ENTRYPOINT = 'writ/decision';

/** Unpacked bytes, the tar's headers and padding not counted. */
export const BUNDLE_BYTES_MAX = 64 * 1024 * 1024;
export const BUNDLE_FILES_MAX = 1_000;
