// Virtual environments with pinned, hashed packages. Their scripts hold the path that they were made under, so
// everything in them is started as `bin/python -m …` or `bin/python file.py`.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cached } from './cache.ts';
import { runCommand, runInstallCommand } from './command.ts';
import { PartError } from './part-error.ts';

export interface PythonEnvironment {
  /** The part's name, and that of its file under requirements/. */
  readonly part: string;
  readonly label: string;
  /** Runs after the packages are there, inside the folder before it is renamed. */
  readonly finish?: (environment: InstalledPython) => Promise<void>;
}

export interface InstalledPython {
  readonly folder: string;
  readonly python: string;
  /** The folder of the packages. */
  readonly sitePackages: string;
}

/** Installed on first use. */
export async function pythonEnvironment({ part, label, finish }: PythonEnvironment): Promise<InstalledPython> {
  const requirements = requirementsFile(part);
  const { command, version } = await systemPython(part);
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const environmentIn = (folder: string): InstalledPython => ({
    folder,
    python: join(folder, 'bin', 'python'),
    sitePackages: join(folder, 'lib', `python${version}`, 'site-packages'),
  });
  const folder = await cached({
    key: `${part}-py${version}-${process.platform}-${process.arch}-${digest}`,
    label,
    // Its Python is a link to the machine's, which may be gone since.
    works: (folder) => existsSync(environmentIn(folder).python),
    make: async (folder) => {
      const { python } = environmentIn(folder);
      await runInstallCommand(part, command, ['-m', 'venv', folder]);
      const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input'];
      await runInstallCommand(part, python, [...pip, '--only-binary=:all:', '--require-hashes', '-r', requirements]);
      await finish?.(environmentIn(folder));
    },
  });
  return environmentIn(folder);
}

function requirementsFile(part: string): string {
  return fileURLToPath(new URL(`requirements/${part}.txt`, import.meta.url));
}

/** The pinned hashes cover these; see requirements/lock.ts. */
const pythonVersions: readonly string[] = ['3.11', '3.12', '3.13'];

async function systemPython(part: string): Promise<{ command: string; version: string }> {
  const found: string[] = [];
  for (const command of ['python3', ...pythonVersions.map((version) => `python${version}`)]) {
    const version = await versionOf(part, command);
    if (version !== undefined && pythonVersions.includes(version)) return { command, version };
    if (version !== undefined) found.push(`${command} is ${version}`);
  }
  const seen = found.length === 0 ? 'none is on the PATH' : found.join(', ');
  throw new PartError(part, 'missing_tool', `Python ${pythonVersions.join(' or ')} with venv is needed; ${seen}`);
}

async function versionOf(part: string, command: string): Promise<string | undefined> {
  try {
    const result = await runCommand(part, command, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])']);
    return result.code === 0 ? result.stdout.trim() : undefined;
  } catch (error) {
    if (error instanceof PartError) return undefined;
    throw error;
  }
}
