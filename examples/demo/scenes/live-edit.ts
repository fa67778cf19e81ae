/** The officer changes a rule while people work: no request fails, and the next one is decided by the new rule. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from '../client.ts';
import { errorOf } from '../read-chat.ts';
import type { Scene } from '../scene.ts';
import type { Stage } from '../stage.ts';

const FILE = 'prompts.writ';
const BEFORE = 'classify prompt as restricted where text contains any of (us_ssn, passport)';
const AFTER = 'classify prompt as restricted where text contains any of (us_ssn, passport, project_code)';
const QUESTION = 'Summarise PRJ-AB-1234.';
const CLIENTS = 4;
/** Requests before the edit, so that it happens in the middle of traffic. */
const BEFORE_EDIT = 12;
const AFTER_EDIT = 12;
const ENFORCED_MS_MAX = 20_000;
const POLL_MS = 10;

export const liveEdit: Scene = {
  title: 'A rule changes under traffic',
  story: 'The officer decides that project codes are restricted from now on, edits the rule and saves the file.',
  async play(stage, show) {
    const probe = () => ask(stage.gateway, stage.tokens.mia, { model: 'gemma-3-270m', text: QUESTION, maxTokens: 2 });
    const traffic = startTraffic(stage);
    try {
      const before = await probe();
      show.claim(
        before.status === 200,
        'before the edit, a project code may go to our own model',
        `Mia asks "${QUESTION}": ${before.status} ${errorOf(before.body)}`.trim(),
      );
      await traffic.reaches(BEFORE_EDIT);

      const old = await stage.enforcing();
      const countsBefore = await stage.envoyCounts();
      const saved = performance.now();
      save(stage.policyFolder);
      show.says(`The officer saves ${FILE}: project_code joins us_ssn and passport as \`restricted\``);
      await enforced(stage, old);
      const ms = performance.now() - saved;
      const after = await probe();
      show.claim(
        after.status === 403,
        'the next request is decided by the new rule',
        `${after.status} "${errorOf(after.body)}"`,
      );
      show.claim(
        ms < ENFORCED_MS_MAX,
        'built, signed, sent, verified and in force',
        `${Math.round(ms)} ms after the file was saved`,
      );
      await traffic.reaches(traffic.count() + AFTER_EDIT);
      const swap = swapBetween(countsBefore, await stage.envoyCounts());
      show.claim(
        swap.filter === 1 && swap.listeners === 0 && swap.routes === 0 && swap.exchanges > 0,
        'Envoy swapped the filter in its workers, and nothing else',
        `filters swapped ${swap.filter}, listeners changed ${swap.listeners}, routes ${swap.routes}; ${swap.exchanges} exchanges through the filters meanwhile`,
      );
    } finally {
      await traffic.stop();
    }
    show.claim(
      traffic.failed().length === 0,
      'no request of anybody failed meanwhile',
      `${traffic.count()} requests of ${CLIENTS} clients, ${traffic.failed().length} failed${traffic.failed().length > 0 ? `: ${[...new Set(traffic.failed())].join('; ')}` : ''}`,
    );
  },
};

function save(folder: string): void {
  const file = join(folder, FILE);
  const text = readFileSync(file, 'utf8');
  if (!text.includes(BEFORE)) throw new Error(`${FILE} has no line \`${BEFORE}\``);
  writeFileSync(file, text.replace(BEFORE, AFTER));
}

async function enforced(stage: Stage, old: number): Promise<void> {
  const deadline = performance.now() + ENFORCED_MS_MAX;
  while ((await stage.enforcing()) <= old) {
    if (performance.now() > deadline) throw new Error(`the edit was not in force after ${ENFORCED_MS_MAX / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** What Envoy did between two looks at its counts: the filter is `writ_filter`, delivered by ECDS. */
function swapBetween(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>) {
  const more = (...names: readonly string[]): number =>
    names.reduce((sum, name) => sum + (after.get(name) ?? 0) - (before.get(name) ?? 0), 0);
  return {
    filter: more('extension_config_discovery.http_filter.writ_filter.config_reload'),
    listeners: more(
      ...['added', 'modified', 'removed', 'in_place_updated'].map((what) => `listener_manager.listener_${what}`),
    ),
    routes: more('http.writ.rds.writ_routes.config_reload'),
    exchanges: more('wasmcustom.writ_exchanges_forwarded_total', 'wasmcustom.writ_exchanges_answered_total'),
  };
}

/** People at work: short questions to our own model, without a pause. */
function startTraffic(stage: Stage) {
  const statuses: number[] = [];
  const failed: string[] = [];
  let isOver = false;
  const client = async (): Promise<void> => {
    while (!isOver) {
      try {
        const { status, body } = await ask(stage.gateway, stage.tokens.sam, {
          model: 'gemma-3-270m',
          text: 'Say hello.',
          maxTokens: 2,
        });
        statuses.push(status);
        if (status !== 200) failed.push(`${status} ${errorOf(body)}`);
      } catch (error) {
        failed.push(error instanceof Error ? error.name : 'error');
      }
    }
  };
  const clients = Promise.all(Array.from({ length: CLIENTS }, client));
  return {
    count: () => statuses.length,
    failed: () => failed,
    async reaches(count: number): Promise<void> {
      while (statuses.length < count && failed.length === 0)
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    },
    async stop(): Promise<void> {
      isOver = true;
      await clients;
    },
  };
}
