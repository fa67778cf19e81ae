/**
 * The function (facts, result) of the prompt: the strata of compiler/plan/plan.ts in their order. Masks of models count
 * by price, so that the cheapest of a mask is its lowest bit.
 */
import { FACT_KNOWN } from '../../filters/kernel/abi.ts';
import {
  FLAG_DEFAULT,
  FLAG_NO_MODEL,
  FLAG_UNKNOWN_MODEL,
  RESULT_CANDIDATES,
  RESULT_MODEL,
  RESULT_OUTCOME,
  RESULT_OUTPUT_TOKENS,
} from '../../filters/kernel/decision/layout.ts';
import { isJudgedWithoutModel } from '../plan/keep.ts';
import type { Model, PromptEvent } from '../plan/plan.ts';
import { wordsOf } from './bits.ts';
import { addCandidates } from './candidates.ts';
import { addClassification } from './classification.ts';
import { condition } from './condition.ts';
import type { Local } from './function-builder.ts';
import { asBit, every, maskIf, some, stateOf, valueOf } from './policy-code.ts';
import {
  addRuleWords,
  addTouched,
  anyFired,
  beginBody,
  type Body,
  firedWords,
  modelMask,
  nodesWith,
  type SiteCode,
  storeFired,
  storeFlags,
  storeRedactions,
  touchedDenies,
  untouched,
} from './site-code.ts';
import { CHOICE_PATHS, costReads, factsAt } from './site.ts';
import { type Code, I32, I64, NONE } from './instructions.ts';

export function addPromptSite(siteCode: SiteCode, prompt: PromptEvent): void {
  const { code, site } = siteCode;
  const { module } = code;
  const { i32, i64 } = module;
  const touched = addTouched(siteCode);
  const ruleWords = addRuleWords(siteCode);
  const candidatesOf = addCandidates(siteCode, prompt);

  const begun = beginBody(siteCode, [], 'computed');
  const { build } = begun;
  const fired = site.nodes.length === 0 ? [] : wordsOf([], site.nodes.length).map(() => build.local(I64));
  const setNode = (node: number, holds: Code) => {
    const word = fired[node >> 6]!;
    build.add(word.set(i64.or(word.get(), asBit(code, holds, node & 63))));
  };

  const classification = addClassification(begun, setNode);
  const body: Body = classification === undefined ? begun : { ...begun, classification };

  // Candidates and the route that serves.
  const choiceHolds = build.hold(I32, untouched(body, factsAt(code.plan, CHOICE_PATHS)));
  const route = build.hold(
    I32,
    module.call(
      candidatesOf,
      [body.facts.get(), body.result.get(), body.classification?.get() ?? i32.const(-1), choiceHolds.get()],
      I32,
    ),
  );
  const candidates = build.hold(I64, i64.load(RESULT_CANDIDATES, 8, body.result.get()));

  // What removes them.
  const left = build.hold(I64, candidates.get());
  const limits = prompt.limits.map((limit) =>
    build.hold(I64, i64.and(maskIfUntouched(body, limit.reads), modelMask(limit.when, body))),
  );
  prompt.requirements.forEach((requirement, at) => {
    const removed = build.hold(
      I64,
      i64.and(
        candidates.get(),
        i64.and(maskIfUntouched(body, requirement.reads), modelMask(requirement.removes, body)),
      ),
    );
    storeRemoved(body, site.requirementRemovers[at]!, removed.get());
    build.add(left.set(i64.and(left.get(), i64.xor(removed.get(), i64.const(-1n)))));
    setNode(site.requirementNodes[at]!, i64.ne(removed.get(), i64.const(0n)));
  });
  const applying = prompt.budgets.map((budget) =>
    build.hold(I32, every(code, [untouched(body, budget.reads), condition(budget.applies, body)])),
  );
  const budgets = prompt.budgets.map((budget, at) =>
    build.hold(I32, every(code, [applying[at]!.get(), untouched(body, costReads(code.plan, budget))])),
  );
  judgeModels({ body, prompt, limits, budgets, candidates, left });

  // Choice.
  const chosen = build.hold(I64, chosenBit(body, prompt, left));
  const isChosen = build.hold(I32, i64.ne(chosen.get(), i64.const(0n)));
  const rank = build.hold(I32, i32.wrap(i64.ctz(chosen.get())));
  prompt.limits.forEach((_, at) =>
    setNode(site.limitNodes[at]!, i64.ne(i64.and(limits[at]!.get(), chosen.get()), i64.const(0n))),
  );

  // Effects.
  firedWords(body, ruleWords, chosen).forEach((rules, word) => {
    const judgedAlone = site.rules.filter(({ rule, node }) => node >> 6 === word && isJudgedWithoutModel(rule));
    const judged = module.select(
      isChosen.get(),
      rules.get(),
      i64.and(
        rules.get(),
        i64.const(
          BigInt.asIntN(
            64,
            wordsOf(
              judgedAlone.map(({ node }) => node & 63),
              64,
            )[0]!,
          ),
        ),
      ),
    );
    build.add(fired[word]!.set(i64.or(fired[word]!.get(), judged)));
  });
  storeFired(body, fired);
  const byDefault = build.hold(
    I32,
    site.default === 'deny'
      ? i32.and(isChosen.get(), i32.eqz(anyFired(code, fired, nodesWith(site, 'allow'))))
      : i32.const(0),
  );
  const denied = some(code, [
    touchedDenies(body, touched, route.get(), applying),
    i32.eqz(isChosen.get()),
    anyFired(code, fired, nodesWith(site, 'deny')),
    byDefault.get(),
  ]);
  // OUTCOME_DENY 0, OUTCOME_ALLOW 1, OUTCOME_HOLD 2.
  const outcome = build.hold(I32, i32.eqz(denied));
  if (nodesWith(site, 'hold').length > 0)
    build.add(outcome.set(i32.shl(outcome.get(), anyFired(code, fired, nodesWith(site, 'hold')))));
  storeChoice(body, budgets, isChosen, rank);
  storeRedactions(body, fired);
  const isEmpty = () => i64.eqz(candidates.get());
  storeFlags(body, fired, [
    [FLAG_UNKNOWN_MODEL, i32.and(isEmpty(), choiceHolds.get())],
    [FLAG_NO_MODEL, i32.and(i32.eqz(isEmpty()), i32.eqz(isChosen.get()))],
    [FLAG_DEFAULT, byDefault.get()],
  ]);
  build.add(i32.store8(RESULT_OUTCOME, 1, body.result.get(), outcome.get()));
  build.end(siteCode.name, NONE);
}

// -----------------------------------------------------------------------------------------------------------------
// removal

function maskIfUntouched(body: Body, reads: readonly number[]): Code {
  return reads.length === 0 ? body.code.module.i64.const(-1n) : maskIf(body.code, untouched(body, reads), -1n);
}

function storeRemoved(body: Body, remover: number, mask: Code): void {
  body.build.add(body.code.module.i64.store(body.site.site.layout.removed + remover * 8, 8, body.result.get(), mask));
}

interface Judged {
  readonly body: Body;
  readonly prompt: PromptEvent;
  /** Where each limit fires. */
  readonly limits: readonly Local[];
  /** Whether each budget applies and can be read. */
  readonly budgets: readonly Local[];
  readonly candidates: Local;
  /** Candidates that nothing has removed. */
  readonly left: Local;
}

/** For each candidate: what its reply may have, what it may cost, and whether its context and the budgets bear it. */
function judgeModels({ body, prompt, limits, budgets, candidates, left }: Judged): void {
  const { code, build, site } = body;
  const { module } = code;
  const { i32, i64 } = module;
  const asked = numberFact(body, 'prompt.output_tokens');
  const estimate = numberFact(body, 'prompt.tokens_estimate');
  const tokens = build.hold(I64, atLeastZero(body, estimate?.value ?? i64.const(0n)));
  const inputTokens = build.hold(I64, promptCount(body, 'prompt.input_tokens_bound'));
  const replies = build.hold(I64, promptCount(body, 'prompt.choices'));
  const hasAsked = build.hold(I32, asked?.isKnown ?? i32.const(0));
  const askedTokens = build.hold(I64, asked?.value ?? i64.const(0n));
  const anyBudget = build.hold(
    I32,
    some(
      code,
      budgets.map((applies) => applies.get()),
    ),
  );
  const thresholds = prompt.budgets.map((budget, at) => build.hold(I64, thresholdMask(body, budget, budgets[at]!)));
  const overBudget = prompt.budgets.map((_, at) => build.hold(I64, i64.and(candidates.get(), thresholds[at]!.get())));
  const outside = build.local(I64);
  const output = build.local(I64);
  const cost = build.local(I64);
  const counted = prompt.budgets.some(({ counts }) => counts === 'tokens') ? build.local(I64) : cost;

  for (const model of code.plan.models) {
    const rank = site.modelBit(model.id);
    const bit = BigInt.asIntN(64, 1n << BigInt(rank));
    const judge = build.block(() => {
      build.add(output.set(module.select(hasAsked.get(), askedTokens.get(), i64.const(BigInt(model.maxOutput)))));
      prompt.limits.forEach((limit, at) => {
        const lowers = i32.and(
          i64.ne(i64.and(limits[at]!.get(), i64.const(bit)), i64.const(0n)),
          i64.lt_s(i64.const(BigInt(limit.tokens)), output.get()),
        );
        build.add(output.set(module.select(lowers, i64.const(BigInt(limit.tokens)), output.get())));
      });
      build.add(output.set(atLeastZero(body, output.get())));
      build.add(i64.store(site.site.layout.outputs + rank * 8, 8, body.result.get(), output.get()));
      const isOutside = i64.gt_s(i64.add(tokens.get(), output.get()), i64.const(BigInt(model.context)));
      build.add(outside.set(i64.or(outside.get(), maskIf(code, isOutside, bit))));
      if (prompt.budgets.length > 0)
        build.add(
          module.if(
            anyBudget.get(),
            build.block(() => judgeCost(model, bit, rank)),
          ),
        );
    });
    build.add(module.if(i64.ne(i64.and(candidates.get(), i64.const(bit)), i64.const(0n)), judge));
  }

  function judgeCost(model: Model, bit: bigint, rank: number): void {
    const prices = { input: i64.const(BigInt(model.inputPrice)), output: i64.const(BigInt(model.outputPrice)) };
    build.add(
      cost.set(
        module.call('worst_case', [inputTokens.get(), prices.input, replies.get(), output.get(), prices.output], I64),
      ),
    );
    build.add(i64.store(site.site.layout.costs + rank * 8, 8, body.result.get(), cost.get()));
    if (counted !== cost) build.add(counted.set(tokensOf(code, inputTokens.get(), replies.get(), output.get())));
    prompt.budgets.forEach((budget, at) => {
      const worst = { requests: () => i64.const(1n), tokens: () => counted.get(), money: () => cost.get() };
      const isWithin = i32.and(
        i32.eq(stateOf(code, body.facts.get(), budget.headroom), i32.const(FACT_KNOWN)),
        i64.le_s(worst[budget.counts ?? 'money'](), valueOf(code, body.facts.get(), budget.headroom)),
      );
      const isOver = i32.and(budgets[at]!.get(), i32.eqz(isWithin));
      build.add(overBudget[at]!.set(i64.or(overBudget[at]!.get(), maskIf(code, isOver, bit))));
    });
  }

  prompt.budgets.forEach((_, at) => {
    storeRemoved(body, site.site.budgetRemovers[at]!, overBudget[at]!.get());
    build.add(left.set(i64.and(left.get(), i64.xor(overBudget[at]!.get(), i64.const(-1n)))));
  });
  storeRemoved(body, site.site.removers.length - 1, outside.get());
  build.add(left.set(i64.and(left.get(), i64.xor(outside.get(), i64.const(-1n)))));
}

/** The most tokens that a request and its replies can have: a worst case at a token for each. */
function tokensOf({ module }: Body['code'], input: Code, replies: Code, output: Code): Code {
  const one = (): Code => module.i64.const(1_000_000n);
  return module.call('worst_case', [input, one(), replies, output, one()], I64);
}

/** Models that the thresholds of a budget remove, where it applies. */
function thresholdMask(body: Body, budget: PromptEvent['budgets'][number], applies: Local): Code {
  const { code } = body;
  const { module } = code;
  const { i32, i64 } = module;
  const masks = budget.thresholds.map((threshold) => {
    const isReached = i64.ge_s(
      i64.mul(valueOf(code, body.facts.get(), budget.spent), i64.const(100n)),
      i64.const(BigInt(budget.limit) * BigInt(threshold.percent)),
    );
    const counts = every(code, [
      applies.get(),
      untouched(body, [...threshold.reads, budget.spent]),
      i32.eq(stateOf(code, body.facts.get(), budget.spent), i32.const(FACT_KNOWN)),
      isReached,
    ]);
    return i64.and(maskIf(code, counts, -1n), modelMask(threshold.removes, body));
  });
  return masks.reduce((left, right) => i64.or(left, right), i64.const(0n));
}

/** A number of the prompt, 0 where it is not known; undefined where the policy has no such fact. */
function numberFact(body: Body, path: string): { readonly isKnown: Code; readonly value: Code } | undefined {
  const { module } = body.code;
  const [fact] = factsAt(body.code.plan, [path]);
  if (fact === undefined) return undefined;
  const isKnown = () => module.i32.eq(stateOf(body.code, body.facts.get(), fact), module.i32.const(FACT_KNOWN));
  return {
    isKnown: isKnown(),
    value: module.select(isKnown(), valueOf(body.code, body.facts.get(), fact), module.i64.const(0n)),
  };
}

/** A count of the prompt; 0 where it is not known, or below. */
function promptCount(body: Body, path: string): Code {
  return atLeastZero(body, numberFact(body, path)?.value ?? body.code.module.i64.const(0n));
}

/** max(0, value). The value is evaluated once. */
function atLeastZero(body: Body, value: Code): Code {
  const { i64 } = body.code.module;
  const held = body.build.local(I64);
  const { module } = body.code;
  // value & ~(value >> 63): without a branch.
  return module.block(null, [
    held.set(value),
    i64.and(held.get(), i64.xor(i64.shr_s(held.get(), i64.const(63n)), i64.const(-1n))),
  ]);
}

// ------------------------------------------------------------------------------------------------------------------
// choice

/** The first preference that has a model left, and the cheapest of it. */
function chosenBit(body: Body, prompt: PromptEvent, left: Local): Code {
  const { code } = body;
  const { module } = code;
  const { i64 } = module;
  const preferences = Math.max(1, ...prompt.routes.map((route) => route.preferences.length));
  const offered = (at: number) =>
    i64.and(i64.load(body.site.site.layout.preferences + at * 8, 8, body.result.get()), left.get());
  let mask = offered(preferences - 1);
  for (let at = preferences - 2; at >= 0; at--) mask = module.if(i64.eqz(offered(at)), mask, offered(at));
  const held = body.build.hold(I64, mask);
  // The lowest bit of the mask.
  return i64.and(held.get(), i64.sub(i64.const(0n), held.get()));
}

function storeChoice(body: Body, budgets: readonly Local[], isChosen: Local, rank: Local): void {
  const { code, build, site } = body;
  const { module } = code;
  const { i32, i64 } = module;
  const { plan } = code;
  const ids = code.writer.block(Uint8Array.from(plan.byPrice, (model) => model + 1));
  const at = (offset: number) => i64.load(offset, 8, i32.add(body.result.get(), i32.shl(rank.get(), i32.const(3))));
  const store = build.block(() => {
    build.add(i32.store8(RESULT_MODEL, 1, body.result.get(), i32.load8_u(ids, 1, rank.get())));
    build.add(i64.store(RESULT_OUTPUT_TOKENS, 8, body.result.get(), at(site.site.layout.outputs)));
    site.site.reserves.forEach((budget, place) => {
      const applies = budgets[site.site.prompt!.budgets.indexOf(budget)]!;
      const worst = {
        requests: () => i64.const(1n),
        tokens: () =>
          tokensOf(
            code,
            promptCount(body, 'prompt.input_tokens_bound'),
            promptCount(body, 'prompt.choices'),
            at(site.site.layout.outputs),
          ),
        money: () => at(site.site.layout.costs),
      };
      const amount = i64.and(
        maskIf(code, applies.get(), -1n),
        i64.add(worst[budget.counts ?? 'money'](), i64.const(1n)),
      );
      build.add(i64.store(site.site.layout.reserves + place * 8, 8, body.result.get(), amount));
    });
  });
  build.add(module.if(isChosen.get(), store));
}
