// A way to decide a prompt of the example policy. What they all must agree on is the verdict.

export interface Verdict {
  readonly outcome: 'allow' | 'deny';
  /** Null where it is denied. */
  readonly model: string | null;
  /** Names of the rules that deny, and `no_model` where none is left; sorted. */
  readonly reasons: readonly string[];
}

export interface Decider {
  verdict(facts: PromptFacts): Promise<Verdict>;
  /** A decision's time, with facts that are in memory in the form that it takes; measured for about so long. */
  microseconds(facts: PromptFacts, seconds: number): Promise<number>;
}

export interface Contender {
  readonly id: string;
  /** Stands in the tables. */
  readonly name: string;
  /** Peers are named in the results where they cannot be had. */
  readonly isPeer: boolean;
  load(): Promise<Decider>;
}

/** The input document of `writ/decision` for a prompt (compiler/schema/README.md), as far as the example policy reads. */
export interface PromptFacts {
  readonly event: 'prompt';
  readonly caller: { readonly department: string; readonly region: string; readonly groups?: readonly string[] };
  readonly prompt: {
    readonly requested_model: string;
    readonly complexity: number;
    readonly tokens_estimate: number;
    readonly input_tokens_bound: number;
    readonly messages: readonly { readonly role: string; readonly found: readonly string[] }[];
    readonly choices?: number;
    readonly tools?: number;
    readonly output_tokens?: number;
  };
  readonly text: { readonly found: readonly string[] };
  readonly budget: {
    readonly marketing_month: { readonly headroom: number; readonly spent: number };
    readonly trial_day: { readonly headroom: number; readonly spent: number };
  };
}

/** The catalog of examples/acme, for peers whose policy gets it as data. */
export const MODELS = [
  {
    name: 'gemma',
    wire: 'gemma-3-270m',
    zone: 'onprem',
    region: 'eu',
    tier: 'small',
    clearance: 2,
    input_price: 20_000,
    output_price: 50_000,
    context: 4_096,
    max_output: 256,
  },
  {
    name: 'frontier',
    wire: 'frontier-1',
    zone: 'external',
    region: 'us',
    tier: 'frontier',
    clearance: 1,
    input_price: 2_500_000,
    output_price: 10_000_000,
    context: 4_096,
    max_output: 256,
  },
] as const;

export type CatalogModel = (typeof MODELS)[number];

/** The two routes of examples/acme: the order in which models are tried. */
export function candidates({ prompt }: PromptFacts): readonly CatalogModel[] {
  const [gemma, frontier] = MODELS;
  if (prompt.requested_model === 'auto')
    return prompt.tokens_estimate <= 400 && prompt.complexity < 400 ? [gemma, frontier] : [frontier, gemma];
  return prompt.requested_model === frontier.wire ? [frontier, gemma] : [gemma, frontier];
}
