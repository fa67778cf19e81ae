// The prompts that contenders decide: two that are timed, and those that all of them must agree on before.
import type { PromptFacts } from './contender.ts';

type Changes = {
  readonly caller?: Partial<PromptFacts['caller']>;
  readonly prompt?: Partial<PromptFacts['prompt']>;
  readonly budget?: Partial<PromptFacts['budget']>;
  readonly found?: readonly string[];
  readonly role?: string;
};

function facts({ caller, prompt, budget, found = [], role = 'user' }: Changes): PromptFacts {
  return {
    event: 'prompt',
    caller: { department: 'finance', region: 'us', groups: ['staff'], ...caller },
    prompt: {
      requested_model: 'frontier-1',
      complexity: 620,
      tokens_estimate: 180,
      input_tokens_bound: 700,
      messages: [{ role, found }],
      choices: 1,
      tools: 0,
      ...prompt,
    },
    text: { found },
    budget: {
      marketing_month: { headroom: 3_990_000_000, spent: 10_000_000 },
      trial_day: { headroom: 20_000, spent: 0 },
      ...budget,
    },
  };
}

export const questions: readonly { readonly name: string; readonly facts: PromptFacts }[] = [
  { name: 'allow', facts: facts({ caller: { department: 'marketing' }, found: ['payment_card', 'email'] }) },
  {
    name: 'deny, all reasons',
    facts: facts({
      caller: { groups: ['staff', 'contractors'], region: 'eu' },
      prompt: { tools: 3, choices: 5 },
      found: ['us_ssn', 'api_key'],
      role: 'system',
    }),
  },
];

/** Every rule alone, and where rules meet. */
export const agreement: readonly PromptFacts[] = [
  ...questions.map((question) => question.facts),
  facts({}),
  facts({ found: ['jwt'] }),
  facts({ found: ['aws_key'] }),
  facts({ found: ['iban'], caller: { region: 'eu' } }),
  facts({ found: ['project_code'] }),
  facts({ found: ['passport'] }),
  facts({ caller: { department: 'hr' } }),
  facts({ caller: { groups: ['contractors'] } }),
  facts({ caller: { groups: ['contractors'] }, prompt: { tools: 1 } }),
  facts({ caller: { groups: ['contractors'] }, role: 'system' }),
  facts({ caller: { groups: ['contractors', 'trial'] } }),
  facts({ role: 'system', prompt: { tools: 1 } }),
  facts({ prompt: { choices: 5 } }),
  facts({ prompt: { choices: 4, requested_model: 'auto' } }),
  facts({ prompt: { requested_model: 'auto', complexity: 100 } }),
  facts({ prompt: { requested_model: 'auto', complexity: 100, tokens_estimate: 401 } }),
  facts({ prompt: { requested_model: 'gemma-3-270m' } }),
  facts({ prompt: { requested_model: 'nobody-knows-it' } }),
  facts({ prompt: { tokens_estimate: 3_840 } }),
  facts({ prompt: { tokens_estimate: 3_841 } }),
  facts({ prompt: { tokens_estimate: 3_841, output_tokens: 100 } }),
  facts({ prompt: { tokens_estimate: 3_890 }, caller: { department: 'support' } }),
  facts({
    caller: { department: 'marketing' },
    budget: { marketing_month: { headroom: 4_309, spent: 3_700_000_000 } },
  }),
  facts({
    caller: { department: 'marketing' },
    budget: { marketing_month: { headroom: 4_310, spent: 3_700_000_000 } },
  }),
  facts({
    caller: { department: 'marketing' },
    budget: { marketing_month: { headroom: 200_000_000, spent: 3_800_000_000 } },
  }),
  facts({ caller: { department: 'marketing' }, budget: { marketing_month: { headroom: 0, spent: 4_000_000_000 } } }),
  facts({ caller: { groups: ['trial'] }, budget: { trial_day: { headroom: 4_310, spent: 0 } } }),
  facts({ caller: { groups: ['trial'] }, budget: { trial_day: { headroom: 4_309, spent: 0 } } }),
];
