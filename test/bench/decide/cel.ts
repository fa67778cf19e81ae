// The Common Expression Language in JavaScript: one expression a rule, parsed before; a few lines of JavaScript put the
// answers together, which CEL cannot. Numbers are doubles, as JavaScript's are.
import { npmPeer } from '../npm-peers.ts';
import { candidates, type Contender, type PromptFacts, type Verdict } from './contender.ts';
import { microsecondsPerCall } from '../time-calls.ts';

type Expression = (context: object) => unknown;

/** What of `@marcbachmann/cel-js` is used. */
interface Cel {
  parse(text: string): Expression;
}

const CONTRACTOR = '"contractors" in caller.groups';
const RESTRICTED = '("us_ssn" in found || "passport" in found)';
const CONFIDENTIAL = '("iban" in found || "project_code" in found)';
const CLASSIFICATION = `(${RESTRICTED} ? 3.0 : ${CONFIDENTIAL} ? 2.0 : 1.0)`;
const ASKED = '(has(prompt.output_tokens) ? prompt.output_tokens : model.max_output)';
const OUTPUT = `(caller.department == "support" && ${ASKED} > 200.0 ? 200.0 : ${ASKED})`;
const COST = `(prompt.input_tokens_bound * model.input_price + prompt.choices * ${OUTPUT} * model.output_price)`;

const denials: Readonly<Record<string, string>> = {
  no_secrets: '"aws_key" in found || "api_key" in found || "jwt" in found',
  no_tools_outside: `${CONTRACTOR} && prompt.tools > 0.0`,
  one_choice: 'prompt.choices > 4.0',
  no_injected_system: `${CONTRACTOR} && prompt.messages.exists(m, m.role == "system")`,
};

/** Each takes one model away. */
const removals: readonly string[] = [
  `caller.region == "eu" && ${CLASSIFICATION} > 1.0 && model.region != "eu"`,
  `model.clearance < ${CLASSIFICATION}`,
  `${CONTRACTOR} && model.tier != "small"`,
  'caller.department == "hr" && model.zone != "onprem"',
  '"trial" in caller.groups && model.tier != "frontier"',
  `caller.department == "marketing" && ${COST} > budget.marketing_month.headroom * 1000000.0`,
  'caller.department == "marketing" && budget.marketing_month.spent >= 3800000000.0 && model.tier != "small"',
  `"trial" in caller.groups && ${COST} > budget.trial_day.headroom * 1000000.0`,
  `prompt.tokens_estimate + ${OUTPUT} > model.context`,
];

export const cel: Contender = {
  id: 'cel',
  name: 'CEL in JavaScript, allow or deny only',
  isPeer: true,
  load: async () => {
    const { parse } = (await npmPeer('@marcbachmann/cel-js')) as Cel;
    const rules = {
      denials: Object.entries(denials).map(([name, text]) => ({ name, holds: parse(text) })),
      removals: removals.map((text) => parse(text)),
    };
    return {
      verdict: async (facts) => decide(rules, contextsFor(facts)),
      microseconds: async (facts, seconds) => {
        const contexts = contextsFor(facts);
        return microsecondsPerCall(() => decide(rules, contexts), seconds);
      },
    };
  },
};

interface Rules {
  readonly denials: readonly { readonly name: string; readonly holds: Expression }[];
  readonly removals: readonly Expression[];
}

/** One for each model that is tried, in order. */
type Contexts = readonly { readonly model: { readonly name: string } }[];

function decide({ denials, removals }: Rules, contexts: Contexts): Verdict {
  const [first] = contexts;
  const fired = first === undefined ? [] : denials.filter(({ holds }) => holds(first) === true).map(({ name }) => name);
  const chosen = contexts.find((context) => !removals.some((removes) => removes(context) === true));
  const reasons = chosen === undefined ? [...fired, 'no_model'] : fired;
  if (chosen === undefined || fired.length > 0) return { outcome: 'deny', model: null, reasons: reasons.sort() };
  return { outcome: 'allow', model: chosen.model.name, reasons: [] };
}

function contextsFor(facts: PromptFacts): Contexts {
  const { caller, prompt, text, budget } = facts;
  return candidates(facts).map((model) => ({
    caller: { ...caller, groups: caller.groups ?? [] },
    prompt: { ...prompt, choices: prompt.choices ?? 1, tools: prompt.tools ?? 0 },
    found: text.found,
    budget,
    model,
  }));
}
