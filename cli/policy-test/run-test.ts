/**
 * Runs one `test` of a policy through its compiled `filter.wasm`: a prompt is a real chat request that a session
 * governs, a completion the reply to it. What is expected is compared with the session's own decision and with the
 * bytes that it let go.
 */
import type { Decision } from '../../compiler/plan/decision.ts';
import type { Budget, Plan } from '../../compiler/plan/plan.ts';
import type { GivenAttribute, PolicyTest, Program, ScalarValue, Span, TestStep } from '../../dsl/program.ts';
import { instantIn, TimeZone } from '../../dsl/time-zone.ts';
import { unmet } from './expectation.ts';
import { Exchange, type Happened } from './exchange.ts';
import { feedFacts, giveFeeds, type GivenFeeds, noFeeds, rememberFeed } from './feeds.ts';
import { allChunksFact, foundTogether } from './found-together.ts';
import { claimsOf, factValues } from './given.ts';
import type { PolicyUnderTest } from './policy-under-test.ts';
import { TEST_KEY, withSubject } from './receipt.ts';

export interface Failure {
  readonly message: string;
  readonly span: Span;
}

export interface TestResult {
  readonly title: string;
  readonly span: Span;
  /** Empty: the test passed. */
  readonly failures: readonly Failure[];
  /** Rules that fired in some decision of the test. */
  readonly fired: readonly string[];
}

export function runTest(test: PolicyTest, compiled: PolicyUnderTest): TestResult {
  const failures: Failure[] = [];
  const fired = new Set<string>();
  const world: Given = { now: null, caller: [], spent: new Map(), feeds: noFeeds() };
  const { program, plan } = compiled;
  compiled.filter.keyed?.takeKey(TEST_KEY);
  let exchange: Exchange | null = null;
  let happened: Happened | null = null;
  try {
    for (const step of test.steps) {
      if (step.kind === 'expect') {
        const problem = happened === null ? 'nothing has happened yet' : unmet(step.expectation, happened);
        if (problem !== null) failures.push({ message: problem, span: step.span });
        continue;
      }
      if (remember(step, world, compiled)) continue;
      if (step.kind === 'prompt') {
        exchange?.end();
        const now = nowOf(world, plan) ?? 0;
        giveFeeds(world.feeds, plan, compiled.filter, now);
        const claims = claimsOf(world.caller, program);
        exchange = new Exchange(
          compiled,
          now,
          step.attributes.some(({ name }) => name === 'receipts') ? withSubject(claims, program) : claims,
          levelsOf(world, plan),
        );
        happened = exchange.prompt(step);
      } else if (step.kind === 'completion') {
        if (exchange === null) throw new Error('a completion needs a prompt before it');
        happened = exchange.completion(step.text);
      } else if (step.kind === 'end') {
        if (exchange === null) throw new Error('an exchange begins with a prompt');
        happened = exchange.over();
      } else if (step.kind === 'egress') {
        happened = decideConnection(step, world, compiled);
      } else if (step.kind === 'toolCall') {
        if (exchange === null) throw new Error('a tool call needs a prompt before it');
        happened = exchange.toolCall(step);
      } else if (step.kind === 'chunk' || step.kind === 'document') {
        happened = decideDocument(step, test.steps, world, compiled);
      } else {
        throw new Error(`\`${step.kind}\` cannot be run: nothing enforces it yet`);
      }
      for (const rule of happened.decision?.fired ?? []) fired.add(rule);
    }
  } catch (error) {
    failures.push({ message: error instanceof Error ? error.message : String(error), span: test.span });
  } finally {
    exchange?.end();
  }
  return { title: test.title, span: test.span, failures, fired: [...fired] };
}

/** What the steps so far have said about the world. */
interface Given {
  /** Milliseconds since 1970 UTC. */
  now: number | null;
  caller: readonly GivenAttribute[];
  readonly spent: Map<string, number>;
  readonly feeds: GivenFeeds;
}

function remember(step: TestStep, world: Given, { program, plan }: PolicyUnderTest): boolean {
  if (step.kind === 'caller') {
    world.caller = step.attributes;
    // Another caller has accounts of their own.
    for (const { name, each } of budgetsOf(plan)) if (each !== undefined) world.spent.delete(name);
  } else if (step.kind === 'now') world.now = instantIn(new TimeZone(program.policy.timeZone), step.iso);
  else if (step.kind === 'spent') world.spent.set(step.budget, amountOf(step.amount));
  else return rememberFeed(step, world.feeds, program);
  return true;
}

/** A test of a policy that reads the time says what time it is: it must not pass today and fail tomorrow. */
function nowOf({ now }: Given, plan: Plan): number | null {
  if (now === null && plan.facts.some(({ path }) => path[0] === 'now'))
    throw new Error('this policy reads the time: say when it happens, such as `now 2026-12-01 09:00`');
  return now;
}

function amountOf(amount: Extract<TestStep, { kind: 'spent' }>['amount']): number {
  return amount.kind === 'money' ? amount.micros : amount.value;
}

function budgetsOf(plan: Plan): readonly Budget[] {
  return plan.events.flatMap((event) => (event.kind === 'prompt' ? event.budgets : []));
}

/** Every budget's level: nothing is spent where the test says nothing. */
function levelsOf(
  world: Given,
  plan: Plan,
): ReadonlyMap<string, { readonly headroom: number; readonly spent: number }> {
  return new Map(
    budgetsOf(plan).map(({ name, limit }) => {
      const spent = world.spent.get(name) ?? 0;
      return [name, { spent, headroom: Math.max(0, limit - spent) }];
    }),
  );
}

/** A connection to the outside, by the host that it asks for. */
function decideConnection(
  { host }: TestStep & { readonly kind: 'egress' },
  world: Given,
  { program, plan, filter }: PolicyUnderTest,
): Happened {
  const now = nowOf(world, plan);
  const given = { caller: [], chunk: [], store: '', now, host: host.toLowerCase() };
  const input = {
    ...(now === null ? {} : { now: now / 1_000 }),
    event: 'egress',
    egress: { host: given.host },
    ...feedFacts(world.feeds, given, plan, new TimeZone(program.policy.timeZone)),
  };
  return { decision: JSON.parse(filter.decide(JSON.stringify(input))) as Decision, sent: null, refusal: null };
}

/**
 * A chunk that was found, or a document that is put into a store: facts and text, decided by the same function as in a
 * session.
 */
function decideDocument(
  step: TestStep & { readonly kind: 'chunk' | 'document' },
  steps: readonly TestStep[],
  world: Given,
  { program, plan, filter }: PolicyUnderTest,
): Happened {
  const text = new TextEncoder().encode(step.text ?? '');
  const found = [...new Set(filter.scan(text).map((hit) => plan.detectors[hit.detector]!.name))].sort();
  const now = nowOf(world, plan);
  const input = {
    ...(now === null ? {} : { now: now / 1_000 }),
    event: step.kind === 'chunk' ? 'chunk' : 'ingest',
    store: step.store,
    caller: factValues(world.caller, program),
    ...feedFacts(
      world.feeds,
      { caller: world.caller, chunk: step.attributes, store: step.store, now, host: null },
      plan,
      new TimeZone(program.policy.timeZone),
    ),
    chunk: { [step.store]: factValues(step.attributes, program) },
    ...(step.kind === 'chunk' ? allChunksFact(step.store, foundTogether(step, steps), plan, program) : {}),
    text: { found, found_restored: found },
  };
  const decision = JSON.parse(filter.decide(JSON.stringify(input))) as Decision;
  return { decision, sent: step.text, refusal: null };
}
