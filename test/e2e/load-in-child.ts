// Starts load-child.ts and reads its result.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { LoadOptions, LoadResult } from '../bench/load.ts';

const child = fileURLToPath(new URL('./load-child.ts', import.meta.url));

export function loadInChild(options: Omit<LoadOptions, 'body'> & { readonly body: string }): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [child, JSON.stringify(options)],
      { maxBuffer: 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error !== null) reject(new Error(`the load ended early: ${stderr}`, { cause: error }));
        else {
          const result: LoadResult = JSON.parse(stdout);
          resolve(result);
        }
      },
    );
  });
}
