// Runs one load in a process of its own, so that the client does not share a thread with the sidecar: options as JSON
// in the first argument, the result as JSON on stdout.
import { load } from '../bench/load.ts';
import type { LoadOptions } from '../bench/load.ts';

const { body, ...rest }: Omit<LoadOptions, 'body'> & { readonly body: string } = JSON.parse(process.argv[2] ?? '{}');
process.stdout.write(JSON.stringify(await load({ ...rest, body: Buffer.from(body) })));
