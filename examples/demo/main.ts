/**
 * `npm run demo`: one company, one policy, real models, a real store, a real Envoy. Plays the scenes, checks each claim
 * on what the upstreams really received, and ends with a table. Exit codes: 0 every claim holds, 1 one does not or
 * something could not be started, 2 usage, 130 stopped by Ctrl-C.
 */
import { parseArgs } from 'node:util';
import { untilAborted } from '../../cli/until-aborted.ts';
import type { Door } from '../../proto/door.ts';
import type { Claim } from './claim.ts';
import { keepOpen } from './keep-open.ts';
import { playScenes } from './scene.ts';
import { scenes } from './scenes.ts';
import { openStage } from './stage.ts';
import { tellTo } from './tell.ts';

const HELP = `usage: npm run demo -- [--keep] [--json]

Starts two models, a vector store, the control plane, a sidecar and Envoy, plays seven scenes under the policy in examples/acme, and checks every claim.

  --keep  leave everything running, with curl lines to try, until Ctrl-C
  --json  print the table as JSON on standard output; the story goes to standard error
`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (options === undefined) {
    process.stderr.write(HELP);
    return 2;
  }
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const stream = options.json ? process.stderr : process.stdout;
  const tell = tellTo(
    (text) => void stream.write(text),
    stream.isTTY === true && process.env['NO_COLOR'] === undefined,
  );
  const signal = interruption();
  const started = performance.now();
  try {
    await using stage = await openStage({ signal, tokenSeconds: options.keep ? 12 * 3_600 : 3_600, step: tell.step });
    const ready = performance.now();
    tell.step(`ready after ${seconds(ready - started)}`);
    const claims = await playScenes(scenes, stage, tell);
    const door = await stage.door();
    tell.table(
      claims,
      scenes.map((scene) => scene.title),
      door,
    );
    if (options.json)
      process.stdout.write(
        `${JSON.stringify({ door, claims: claims.map((claim) => ({ ...claim, title: scenes[claim.scene - 1]?.title })) }, null, 2)}\n`,
      );
    tell.step(verdict(claims, performance.now() - ready, door));
    if (options.keep) {
      keepOpen(stage, (text) => void stream.write(text));
      await untilAborted(signal);
    }
    return claims.every((claim) => claim.ok) ? 0 : 1;
  } catch (error) {
    if (signal.aborted) return 130;
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

function parse(
  args: readonly string[],
): { readonly keep: boolean; readonly json: boolean; readonly help: boolean } | undefined {
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      args: [...args],
      options: { keep: flag, json: flag, help: { ...flag, short: 'h' } },
      strict: true,
    }).values;
  } catch (error) {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
}

/** Ctrl-C stops what runs and cleans up; a second one ends the process at once. */
function interruption(): AbortSignal {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(name, () => abort.abort(new Error('stopped')));
  return abort.signal;
}

function verdict(claims: readonly Claim[], ms: number, door: Door | null): string {
  const wrong = claims.filter((claim) => !claim.ok);
  if (wrong.length === 0)
    return `all ${claims.length} claims hold, through the door ${door ?? 'none'}, in ${seconds(ms)}`;
  return `${wrong.length} of ${claims.length} claims do not hold:\n${wrong.map(({ scene, claim, evidence }) => `  scene ${scene}: ${claim}\n    ${evidence}`).join('\n')}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
