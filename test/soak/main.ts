/**
 * Full load through a door for a long time: plain requests, large ones, streams, streams that are given up, requests
 * that are denied. No request may fail, no card number may arrive, memory must stay flat after the warm-up, and the
 * ledger must hold what was spent to the micro-unit.
 * `npm run soak -- [--door in_envoy|ext_proc] [--minutes 15] [--clients 16] [--seed N] [--json]
 * [--keeps-per-second BYTES]`; the last plants a leak in the sidecar, which must be seen. Exit code 1
 * where something was wrong, 2 for wrong usage.
 */
import { parseArgs } from 'node:util';
import { DOORS, type Door } from '../../proto/door.ts';
import { expectedCharge, megabytes, problemsOf, soak, type SoakResult } from './soak.ts';

process.exitCode = await main();

async function main(): Promise<number> {
  const asked = readArguments();
  if (asked === undefined) return 2;
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const report = (line: string): void => void process.stderr.write(`soak: ${line}\n`);
  let code = 0;
  for (const door of asked.doors) {
    const result = await soak({ ...asked, door, report, signal: stop.signal });
    process.stdout.write(asked.json ? `${JSON.stringify(result)}\n` : `${summary(result)}\n`);
    for (const problem of problemsOf(result)) {
      report(`${door}: FAILED: ${problem}`);
      code = 1;
    }
    if (stop.signal.aborted) break;
  }
  return code;
}

function summary(result: SoakResult): string {
  const { door, counts, failed, charged, memory, sidecarResident: resident } = result;
  const count = Object.values(counts).reduce((sum, each) => sum + each, 0);
  const held = Object.entries(memory).map(
    ([name, { before, after }]) => `${name} ${megabytes(before)} then ${megabytes(after)}`,
  );
  return `${door}: ${count} requests, ${failed} failed; ${charged} micro-units charged, ${expectedCharge(result)} spent; ${held.join(', ')}, in memory ${megabytes(resident.least)} to ${megabytes(resident.most)}`;
}

interface Asked {
  readonly doors: readonly Door[];
  readonly seconds: number;
  readonly clients: number;
  readonly seed: number;
  readonly json: boolean;
  readonly keepsPerSecond: number;
}

function readArguments(): Asked | undefined {
  try {
    const { values } = parseArgs({
      options: {
        door: { type: 'string' },
        minutes: { type: 'string', default: '15' },
        clients: { type: 'string', default: '16' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        json: { type: 'boolean', default: false },
        'keeps-per-second': { type: 'string', default: '0' },
      },
    });
    const doors = DOORS.filter((door) => values.door === undefined || door === values.door);
    if (doors.length === 0) throw new Error(`there is no door \`${values.door}\``);
    const minutes = Number(values.minutes);
    const clients = Number(values.clients);
    const seed = Number(values.seed);
    const keepsPerSecond = Number(values['keeps-per-second']);
    if (!(minutes > 0 && clients > 0 && seed >= 0)) throw new Error('minutes, clients and seed are numbers above 0');
    if (!(keepsPerSecond >= 0)) throw new Error('--keeps-per-second is a number of bytes');
    return { doors, seconds: minutes * 60, clients, seed, json: values.json, keepsPerSecond };
  } catch (error) {
    process.stderr.write(`soak: ${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
}
