/**
 * What a test says of lists and switches: as feeds for the filter that runs the exchanges, and as facts where a chunk or
 * a document is decided by its facts alone. What a test says nothing of is an empty list, and a switch that is off.
 */
import { entryOf, packEntries, SALT_BYTES } from '../../compiler/bundle/feed-entries.ts';
import { listState } from '../../compiler/bundle/feed.ts';
import { factValue } from '../../compiler/lower/fact-table.ts';
import { dayIn } from '../../compiler/lower/feeds.ts';
import type { Fact, FactValue, Plan } from '../../compiler/plan/plan.ts';
import type { GivenAttribute, Program, TestStep } from '../../dsl/program.ts';
import { TimeZone } from '../../dsl/time-zone.ts';
import { feedImage } from '../../filters/host/feed-image.ts';
import type { Filter } from '../../filters/host/load-filter.ts';

export interface GivenFeeds {
  /** Values of a list as they are hashed, by the list's name. */
  readonly lists: Map<string, ReadonlySet<string>>;
  readonly switches: Map<string, boolean>;
}

export function noFeeds(): GivenFeeds {
  return { lists: new Map(), switches: new Map() };
}

/** False: the step says nothing of a list or switch. */
export function rememberFeed(step: TestStep, feeds: GivenFeeds, program: Program): boolean {
  if (step.kind === 'switch') feeds.switches.set(step.switch, step.on);
  else if (step.kind === 'list') {
    const { element } = program.lists.find(({ name }) => name === step.list)!;
    const zone = new TimeZone(program.policy.timeZone);
    feeds.lists.set(step.list, new Set(step.entries.map((entry) => hashed(factValue(entry, element, zone)))));
  } else return false;
  return true;
}

/** Feeds of one filter are numbered: a later state takes the place of an earlier one. */
let sequence = 0;
const SALT = Buffer.alloc(SALT_BYTES);
const NO_ENTRIES = new Uint8Array();

/** Every list and switch of the policy as the test has it, signed at `now`. */
export function giveFeeds({ lists, switches }: GivenFeeds, plan: Plan, filter: Filter, now: number): void {
  sequence++;
  const state = { policy: plan.policy, sequence, issuedAt: now };
  for (const { name, feed, element } of plan.lists) {
    const entries = packEntries([...(lists.get(name) ?? [])].map((value) => entryOf(SALT, value)));
    const list = listState({ ...state, name: feed, element, salt: SALT.toString('hex') }, entries);
    if (!filter.takeFeed(feedImage(list, entries))) throw new Error(`the list \`${name}\` holds too many entries`);
  }
  for (const { name } of plan.switches)
    filter.takeFeed(
      feedImage({ ...state, kind: 'switch', name, on: switches.get(name) ?? false, until: null }, NO_ENTRIES),
    );
}

/** The attributes that a decision by facts is given, by the root of their paths. */
export interface GivenFacts {
  readonly caller: readonly GivenAttribute[];
  readonly chunk: readonly GivenAttribute[];
  readonly store: string;
  readonly now: number | null;
  /** The one outside to which a connection is made. */
  readonly host: string | null;
}

/** The facts of lists and switches, as the decision's input holds them. */
export function feedFacts(
  feeds: GivenFeeds,
  given: GivenFacts,
  plan: Plan,
  zone: TimeZone,
): { readonly list: object; readonly switch: object } {
  const input = { list: {}, switch: {} };
  for (const { path, source } of plan.facts) {
    if (source.kind === 'switch') put(input, path, feeds.switches.get(plan.switches[source.switch]!.name) ?? false);
    if (source.kind !== 'list') continue;
    const values = feeds.lists.get(plan.lists[source.list]!.name);
    const { of } = source;
    const value = of.kind === 'value' ? of.value : valueOf(plan.facts[of.fact]!, given, zone);
    if (value === undefined) continue;
    const asked = of.kind === 'day' ? dayIn(plan, of.zone, Number(value)) : value;
    put(input, path, values?.has(hashed(asked)) ?? false);
  }
  return input;
}

/** In canonical form; undefined where the test does not give it. */
function valueOf(fact: Fact, { caller, chunk, store, now, host }: GivenFacts, zone: TimeZone): FactValue | undefined {
  const [root = '', first, second] = fact.path;
  if (root === 'now') return now ?? undefined;
  if (root === 'egress') return host ?? undefined;
  const attribute =
    root === 'caller'
      ? caller.find(({ name }) => name === first)
      : root === 'chunk' && first === store
        ? chunk.find(({ name }) => name === second)
        : undefined;
  if (attribute === undefined) return fact.absent.kind === 'else' ? fact.absent.value : undefined;
  return factValue(attribute.value, typeOf(fact, attribute.value), zone);
}

/** A literal is written at its own scale; the fact has that of its declaration. */
function typeOf({ type }: Fact, value: GivenAttribute['value']): Parameters<typeof factValue>[1] {
  if (type.kind === 'number' && value.kind === 'decimal') return { kind: 'decimal', scale: type.scale };
  return { kind: 'text' };
}

function put(input: object, path: readonly string[], value: boolean): void {
  let at = input as { [key: string]: unknown };
  for (const key of path.slice(0, -1)) at = (at[key] ??= {}) as { [key: string]: unknown };
  at[path.at(-1)!] = value;
}

/** As entries are hashed: compiler/bundle/feed-entries.ts. */
function hashed(value: FactValue): string {
  return typeof value === 'boolean' ? String(Number(value)) : String(value);
}
