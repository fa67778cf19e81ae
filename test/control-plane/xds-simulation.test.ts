// Delta xDS under everything that streams do; and that the simulation finds the mistakes that people make in it.
import { describe, expect, test } from 'vitest';
import { DeltaSession } from '../../control-plane/xds/delta-session.ts';
import { makeMutant } from '../mutants/mutant.ts';
import type { Mutation } from '../mutants/mutant.ts';
import { simulateXds } from './xds-simulation.ts';

const SEEDS = 300;
const file = 'control-plane/xds/delta-session.ts';

const mutations: readonly Mutation[] = [
  {
    name: 'an old nonce acknowledges',
    file,
    find: 'if (inFlight === undefined || request.nonce !== inFlight.nonce) return;',
    replace: 'if (inFlight === undefined) return;',
  },
  {
    name: 'a refusal counts as an acknowledgement',
    file,
    find: 'if (request.error !== undefined) {',
    replace: 'if (request.error === "never") {',
  },
  {
    name: 'a refused version is sent again',
    file,
    find: '!this.#options.isQuarantined(typeUrl, name, version)',
    replace: 'true',
  },
  {
    name: 'several refused together are all given up',
    file,
    find: 'if (alone !== undefined && others.length === 0) {',
    replace:
      'for (const each of others) this.#options.onNack({ typeUrl: request.typeUrl, message, refused: each });\n      if (alone !== undefined) {',
  },
  {
    name: 'what a client brings along is ignored',
    file,
    find: 'has: new Map(request.initialVersions)',
    replace: 'has: new Map()',
  },
  {
    name: 'removals are forgotten',
    file,
    find: "if (!this.isWaiting) for (const typeUrl of urls) this.#respond(typeUrl, responses, 'removals');",
    replace: '',
  },
  {
    name: 'everything is sent each time',
    file,
    find: '(type.owed.has(name) || type.has.get(name) !== version)',
    replace: 'true',
  },
  {
    name: 'a second response does not wait for the first',
    file,
    find: 'if (type === undefined || type.inFlight !== undefined) return;',
    replace: 'if (type === undefined) return;',
  },
  {
    name: 'subscriptions on an old nonce are dropped',
    file,
    find: '    this.#subscribe(request, type, known === undefined);',
    replace:
      '    if (known === undefined || request.nonce !== "") this.#subscribe(request, type, known === undefined);',
  },
  {
    name: 'asking again gives nothing',
    file,
    find: 'if (!isFirst || !type.has.has(name)) type.owed.add(name);',
    replace: 'if (isFirst && !type.has.has(name)) type.owed.add(name);',
  },
  {
    name: 'a dropped name is still believed to be there',
    file,
    find: '      type.has.delete(name);\n      // The client forgets',
    replace: '      // The client forgets',
  },
  {
    name: 'a name dropped under `*` does not come back',
    file,
    find: 'if (type.isWildcard) type.owed.add(name);',
    replace: 'if (type.isWildcard) type.has.set(name, this.#of(request.typeUrl).get(name)?.version ?? "");',
  },
  { name: '`*` does not end', file, find: 'type.isWildcard = false;', replace: '' },
  {
    name: 'naming something ends `*`',
    file,
    find: 'type.names.add(name);',
    replace: 'type.names.add(name);\n      type.isWildcard = false;',
  },
  { name: 'nonces repeat', file, find: 'nonce: `${this.#nonces}`', replace: 'nonce: `${this.#nonces % 3}`' },
  {
    name: 'what was dropped while in flight is believed to be there',
    file,
    find: 'if (isWanted(type, name)) type.has.set(name, version);',
    replace: 'type.has.set(name, version);',
  },
];

test(`every client ends with what it wants, ${SEEDS} seeds`, () => {
  const broken = Array.from({ length: SEEDS }, (_, seed) => simulateXds(DeltaSession, seed)).filter(
    (message) => message !== '',
  );
  expect(broken).toEqual([]);
});

describe('the simulation finds', () => {
  test.each(mutations.map((mutation, index) => ({ ...mutation, index })))('$name', async ({ index, ...mutation }) => {
    const urlOf = makeMutant(`xds-${index}`, mutation, ['control-plane/xds'], ['proto']);
    const mutated: typeof import('../../control-plane/xds/delta-session.ts') = await import(
      /* @vite-ignore */ urlOf(file)
    );
    const found = Array.from({ length: SEEDS }, (_, seed) => seed).find(
      (seed) => simulateXds(mutated.DeltaSession, seed) !== '',
    );
    expect(found).toBeDefined();
  });
});
