/**
 * What every decision has, whatever its event: the failed facts, what is touched by them, the rules that fire, and what
 * these add up to.
 */
import { EVENT_CHUNK, EVENT_COMPLETION, EVENT_PROMPT, FACT_FAILED } from '../../filters/kernel/abi.ts';
import { FLAG_BUFFER, REDACT_RESTORED, RESULT_FLAGS } from '../../filters/kernel/decision/layout.ts';
import type { Effect, FactId, ModelExpr } from '../plan/plan.ts';
import { wordsFor, wordsOf } from './bits.ts';
import { condition } from './condition.ts';
import type { Scope } from './place.ts';
import { FunctionBuilder, type Local } from './function-builder.ts';
import { asBit, every, maskIf, type PolicyCode, some, stateOf } from './policy-code.ts';
import type { ChunkEffect, Site, Touch } from './site.ts';
import { type Code, I32, I64, type ValueType } from './instructions.ts';

export interface SiteCode {
  readonly code: PolicyCode;
  readonly site: Site;
  /** Prefix of the names of the site's functions. */
  readonly name: string;
  /** The bit of a model in masks. */
  readonly modelBit: (model: number) => number;
}

/** A function of the site while it is written: its scope, the result block, and the failed facts. */
export interface Body extends Scope {
  readonly site: SiteCode;
  readonly result: Local;
  readonly failed: readonly Local[];
}

/** Begins a function of (facts, result, …more). `failed` says where the words of failed facts come from. */
export function beginBody(site: SiteCode, more: readonly ValueType[], failed: 'computed' | 'loaded'): Body {
  const build = new FunctionBuilder(site.code.module, [I32, I32, ...more]);
  const facts = build.param(0);
  const result = build.param(1);
  const words = wordsFor(site.site.failed.length);
  const { module } = site.code;
  const locals = Array.from({ length: words }, (_, word) => {
    const at = site.site.layout.failed + word * 8;
    if (failed === 'loaded') return build.hold(I64, module.i64.load(at, 8, result.get()));
    const local = build.hold(I64, failedWord(site, facts, word));
    build.add(module.i64.store(at, 8, result.get(), local.get()));
    return local;
  });
  return { code: site.code, build, facts, site, result, failed: locals };
}

function failedWord({ code, site }: SiteCode, facts: Local, word: number): Code {
  const { module } = code;
  const bits = site.failed
    .slice(word * 64, word * 64 + 64)
    .map((fact, at) => asBit(code, module.i32.eq(stateOf(code, facts.get(), fact), module.i32.const(FACT_FAILED)), at));
  return bits.reduce((left, right) => module.i64.or(left, right));
}

/** None of the facts has failed. */
export function untouched(body: Body, reads: readonly FactId[]): Code {
  const { module } = body.code;
  return every(
    body.code,
    maskedFailures(body, reads).map((word) => module.i64.eqz(word)),
  );
}

/** The words of failed facts, restricted to the reads; words without any are left out. */
function maskedFailures(body: Body, reads: readonly FactId[]): readonly Code[] {
  const { module } = body.code;
  const { failed } = body.site.site;
  return wordsOf(
    reads.map((fact) => failed.indexOf(fact)).filter((at) => at >= 0),
    failed.length,
  ).flatMap((mask, word) => (mask === 0n ? [] : [module.i64.and(body.failed[word]!.get(), module.i64.const(mask))]));
}

// ------------------------------------------------------------------------------------------------------------------
// touched

/**
 * Adds the function (facts, result, route, …budgets) → whether something is touched that denies; it sets the bits of
 * all that do, and leaves of the failed facts those that were looked at. Called only when a fact has failed. `route` is
 * the position of the route that serves, -1 for none; `budgets` are words with a bit for each budget that applies.
 */
export function addTouched(site: SiteCode): string {
  const name = `${site.name}/touched`;
  const budgetWords = wordsFor(site.site.prompt?.budgets.length ?? 0);
  const body = beginBody(site, [I32, ...Array.from({ length: budgetWords }, (): ValueType => I64)], 'loaded');
  const { build, code } = body;
  const { module } = code;
  const route = build.param(2);
  const applies = (budget: number) =>
    module.i32.wrap(
      module.i64.and(
        module.i64.shr_u(build.param(3 + (budget >> 6)).get(), module.i64.const(BigInt(budget & 63))),
        module.i64.const(1n),
      ),
    );
  const any = build.local(I64);
  const touches = site.site.touches;
  for (let word = 0; word < wordsFor(touches.length); word++) {
    const bits = build.local(I64);
    touches.slice(word * 64, word * 64 + 64).forEach((touch, at) => {
      const denies = some(
        code,
        maskedFailures(body, denyingReads(site, touch)).map((failures) =>
          module.i64.ne(failures, module.i64.const(0n)),
        ),
      );
      const serves = touch.route === undefined ? [] : [module.i32.eq(route.get(), module.i32.const(touch.route))];
      const spends = touch.budget === undefined ? [] : [applies(touch.budget)];
      build.add(bits.set(module.i64.or(bits.get(), asBit(code, every(code, [denies, ...serves, ...spends]), at))));
    });
    build.add(module.i64.store(site.site.layout.touched + word * 8, 8, body.result.get(), bits.get()));
    build.add(any.set(module.i64.or(any.get(), bits.get())));
  }
  if (touches.some((touch) => touch.budget !== undefined)) keepLookedAt(body, applies);
  build.add(module.i64.ne(any.get(), module.i64.const(0n)));
  build.end(name, I32);
  return name;
}

/** Takes from the failed facts what only budgets read that do not apply. */
function keepLookedAt(body: Body, applies: (budget: number) => Code): void {
  const { build, code, site } = body;
  const { module } = code;
  const { touches, failed, layout } = site.site;
  const wordsRead = (read: readonly Touch[]) =>
    wordsOf([...new Set(read.flatMap(({ reads }) => reads.map((fact) => failed.indexOf(fact))))], failed.length);
  const always = wordsRead(touches.filter((touch) => touch.budget === undefined));
  const budgets = [...new Set(touches.flatMap(({ budget }) => budget ?? []))].map((budget) => ({
    budget,
    words: wordsRead(touches.filter((touch) => touch.budget === budget)),
  }));
  body.failed.forEach((local, word) => {
    const read = budgets.reduce(
      (mask, { budget, words }) =>
        words[word] === 0n ? mask : module.i64.or(mask, maskIf(code, applies(budget), words[word]!)),
      module.i64.const(always[word]!),
    );
    build.add(module.i64.store(layout.failed + word * 8, 8, body.result.get(), module.i64.and(local.get(), read)));
  });
}

/**
 * Facts whose failure makes it deny: all that it reads, or only those that fail closed where the policy says that
 * failure allows.
 */
function denyingReads({ code, site }: SiteCode, touch: Touch): readonly FactId[] {
  if (code.plan.onFailure === 'deny' || touch.failsClosed) return touch.reads;
  const storeFacts = isChunk(site) ? (code.plan.stores[site.store]?.facts ?? []) : [];
  // One failed chunk fact denies, whatever else the reader reads; so does a fact that fails closed.
  return touch.reads.filter((fact) => code.plan.facts[fact]!.failsClosed || storeFacts.includes(fact));
}

function isChunk(site: Site): boolean {
  return site.event === EVENT_CHUNK;
}

/** Whether something touched denies: 0 without a call where no fact has failed. */
export function touchedDenies(body: Body, touched: string, route: Code, applying: readonly Local[]): Code {
  const { module } = body.code;
  if (body.failed.length === 0 || body.site.site.touches.length === 0) return module.i32.const(0);
  const budgets = Array.from({ length: wordsFor(applying.length) }, (_, word) =>
    applying
      .slice(word * 64, word * 64 + 64)
      .map((applies, at) => asBit(body.code, applies.get(), at))
      .reduce((left, right) => module.i64.or(left, right)),
  );
  const any = body.failed.map((word) => word.get()).reduce((left, right) => module.i64.or(left, right));
  return module.if(
    module.i64.eqz(any),
    module.i32.const(0),
    module.call(touched, [body.facts.get(), body.result.get(), route, ...budgets], I32),
  );
}

// --------------------------------------------------------------------------------------------------------------------
// rules

/** The models at which a condition holds, as a mask. */
export function modelMask(when: ModelExpr, body: Body): Code {
  const { code } = body;
  const { module } = code;
  const maskOf = (models: readonly number[]) =>
    models.reduce((mask, model) => mask | (1n << BigInt(body.site.modelBit(model))), 0n);
  const all = code.plan.models.map((model) => model.id);
  if (when.kind === 'all') return maskIf(code, condition(when.expr, body), maskOf(all));
  let constant = 0n;
  const groups = new Map<string, { readonly models: number[]; readonly index: number }>();
  when.exprs.forEach((expr, model) => {
    if (model >= all.length) return;
    if (expr.kind === 'const') constant |= expr.value ? maskOf([model]) : 0n;
    else {
      const key = JSON.stringify(expr);
      const group = groups.get(key) ?? { models: [], index: model };
      group.models.push(model);
      groups.set(key, group);
    }
  });
  const parts = [...groups.values()].map(({ models, index }) =>
    maskIf(code, condition(when.exprs[index]!, body), maskOf(models)),
  );
  return parts.reduce((left, right) => module.i64.or(left, right), module.i64.const(constant));
}

/** The condition at the chosen model, whose bit is given (0: none). */
function atChosen(when: ModelExpr, chosen: Local, body: Body): Code {
  const { module } = body.code;
  if (when.kind === 'all') return condition(when.expr, body);
  return module.i64.ne(module.i64.and(modelMask(when, body), chosen.get()), module.i64.const(0n));
}

/**
 * Adds a function (facts, result, chosen's bit, rank of the classification) → the rules that fire, for each 64 nodes of
 * the site; undefined where a word has no rule. Small functions keep both the optimiser and the engine's compiler
 * linear.
 */
export function addRuleWords(site: SiteCode): readonly (string | undefined)[] {
  return Array.from({ length: wordsFor(site.site.nodes.length) }, (_, word) => {
    const rules = site.site.rules.filter(({ node }) => node >> 6 === word);
    if (rules.length === 0) return undefined;
    const name = `${site.name}/rules${word}`;
    const begun = beginBody(site, [I64, I32], 'loaded');
    const body: Body = isClassified(site) ? { ...begun, classification: begun.build.param(3) } : begun;
    const { build, code } = body;
    const { module } = code;
    const chosen = build.param(2);
    const fired = build.local(I64);
    for (const { rule, node } of rules) {
      const fires = every(code, [untouched(body, rule.reads), atChosen(rule.when, chosen, body)]);
      build.add(fired.set(module.i64.or(fired.get(), asBit(code, fires, node & 63))));
    }
    build.add(fired.get());
    build.end(name, I64);
    return name;
  });
}

/** Whether the site's event has a classification of its own. */
export function isClassified({ code, site }: SiteCode): boolean {
  return code.plan.classification !== undefined && (site.event === EVENT_PROMPT || site.event === EVENT_COMPLETION);
}

/** Statements that compute all words of fired rules. Words without a rule are 0. */
export function firedWords(body: Body, functions: readonly (string | undefined)[], chosen: Local): readonly Local[] {
  const { build, code } = body;
  return functions.map((name) => {
    const word = build.local(I64);
    const rank = body.classification?.get() ?? code.module.i32.const(-1);
    if (name !== undefined)
      build.add(word.set(code.module.call(name, [body.facts.get(), body.result.get(), chosen.get(), rank], I64)));
    return word;
  });
}

/** Some of the nodes has fired. */
export function anyFired(code: PolicyCode, fired: readonly Local[], nodes: readonly number[]): Code {
  const { module } = code;
  return some(
    code,
    wordsOf(nodes, fired.length * 64).flatMap((mask, word) =>
      mask === 0n
        ? []
        : [module.i64.ne(module.i64.and(fired[word]!.get(), module.i64.const(mask)), module.i64.const(0n))],
    ),
  );
}

export function nodesWith(site: Site, kind: Effect['kind']): readonly number[] {
  return site.rules.filter(({ rule }) => rule.effects.some((effect) => effect.kind === kind)).map(({ node }) => node);
}

// ------------------------------------------------------------------------------------------------------------------
// chunk effects

/**
 * Adds functions (facts, result) → whether an `allow chunk` holds, 64 effects each; they set the bits of the rules that
 * withhold. They read the fired words from the result.
 */
export function addChunkEffects(site: SiteCode): readonly string[] {
  const effects = site.site.chunkEffects;
  return Array.from({ length: wordsFor(effects.length) }, (_, group) => {
    const name = `${site.name}/chunk${group}`;
    const body = beginBody(site, [], 'loaded');
    const { build, code } = body;
    const { module } = code;
    const allows = build.local(I32);
    for (const effect of effects.slice(group * 64, group * 64 + 64)) {
      const counts = every(code, [hasFired(body, effect), untouched(body, effect.reads)]);
      if (effect.withheld === undefined) {
        build.add(
          allows.set(
            module.i32.or(allows.get(), module.if(counts, condition(effect.holds, body), module.i32.const(0))),
          ),
        );
        continue;
      }
      const at = site.site.layout.withheld + (effect.withheld >> 6) * 8;
      const withholds = module.if(counts, module.i32.eqz(condition(effect.holds, body)), module.i32.const(0));
      const word = module.i64.or(
        module.i64.load(at, 8, body.result.get()),
        asBit(code, withholds, effect.withheld & 63),
      );
      build.add(module.i64.store(at, 8, body.result.get(), word));
    }
    build.add(allows.get());
    build.end(name, I32);
    return name;
  });
}

function hasFired(body: Body, { node }: ChunkEffect): Code {
  const { module } = body.code;
  const word = module.i64.load(body.site.site.layout.fired + (node >> 6) * 8, 8, body.result.get());
  return module.i64.ne(
    module.i64.and(word, module.i64.const(BigInt.asIntN(64, 1n << BigInt(node & 63)))),
    module.i64.const(0n),
  );
}

// ------------------------------------------------------------------------------------------------------------------
// what it adds up to

/** Stores the strongest mode of each detector, and whether restored values are meant too. */
export function storeRedactions(body: Body, fired: readonly Local[]): void {
  const { code, build, site } = body;
  const { module } = code;
  code.plan.detectors.forEach(({ name }, ordinal) => {
    const asked = site.site.redactions.filter(({ detector }) => detector === name);
    if (asked.length === 0) return;
    const nodes = (wanted: readonly (typeof asked)[number][]) =>
      anyFired(
        code,
        fired,
        wanted.map(({ node }) => node),
      );
    const mode = code.plan.redactions.reduce((weaker, _, at) => {
      const ofMode = asked.filter(({ effect }) => effect.as === at);
      return ofMode.length === 0 ? weaker : module.select(nodes(ofMode), module.i32.const(at + 1), weaker);
    }, module.i32.const(0));
    const restored = asked.filter(({ effect }) => effect.includingRestored);
    const value =
      restored.length === 0
        ? mode
        : module.i32.or(mode, module.i32.mul(nodes(restored), module.i32.const(REDACT_RESTORED)));
    build.add(module.i32.store8(site.site.layout.redactions + ordinal, 1, body.result.get(), value));
  });
}

export function storeFired(body: Body, fired: readonly Local[]): void {
  fired.forEach((word, at) =>
    body.build.add(body.code.module.i64.store(body.site.site.layout.fired + at * 8, 8, body.result.get(), word.get())),
  );
}

/** FLAG_BUFFER where a rule that fired asks for it, and the given flags. */
export function storeFlags(body: Body, fired: readonly Local[], flags: readonly (readonly [number, Code])[]): void {
  const { code } = body;
  const { module } = code;
  const all = [[FLAG_BUFFER, anyFired(code, fired, nodesWith(body.site.site, 'buffer'))] as const, ...flags];
  const value = all
    .map(([flag, holds]) => module.i32.mul(holds, module.i32.const(flag)))
    .reduce((left, right) => module.i32.or(left, right));
  body.build.add(module.i32.store8(RESULT_FLAGS, 1, body.result.get(), value));
}
