/**
 * The meaning of a plan, as a program: short, obvious, slow. Every other backend is compared with this one. It is never
 * on a request's path.
 */
import type {
  CompletionEvent,
  EgressEvent,
  ExchangeEvent,
  EventPlan,
  IngestEvent,
  Plan,
  PromptEvent,
  RetrievalEvent,
  ToolCallEvent,
} from '../plan/plan.ts';
import type { Decision } from '../plan/decision.ts';
import { decidePrompt } from './decide-prompt.ts';
import {
  decideChunk,
  decideCompletion,
  decideEgress,
  decideExchange,
  decideIngest,
  decideRetrieval,
  decideToolCall,
} from './decide-rules.ts';
import { readFacts } from './read-facts.ts';

/** `input` is a parsed JSON document of the shape in compiler/plan/decision.ts; whatever else it is, it is denied. */
export function decide(plan: Plan, input: unknown): Decision {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return UNDECIDABLE;
  const {
    event,
    store,
    tool = null,
  } = input as {
    readonly event?: unknown;
    readonly store?: unknown;
    readonly tool?: unknown;
  };
  const facts = readFacts(plan, input);
  switch (event) {
    case 'prompt': {
      const prompt = plan.events.find((each): each is PromptEvent => each.kind === 'prompt');
      return prompt === undefined ? UNDECIDABLE : decidePrompt(plan, prompt, facts);
    }
    case 'completion': {
      const completion = plan.events.find((each): each is CompletionEvent => each.kind === 'completion');
      return completion === undefined ? UNDECIDABLE : decideCompletion(plan, completion, facts);
    }
    case 'tool_call': {
      const call = plan.events.find((each): each is ToolCallEvent => each.kind === 'tool_call' && each.tool === tool);
      return call === undefined ? UNDECIDABLE : decideToolCall(plan, call, facts);
    }
    case 'retrieval': {
      const retrieval = plan.events.find((each): each is RetrievalEvent => isOf(each, 'retrieval', store));
      return retrieval === undefined ? UNDECIDABLE : decideRetrieval(plan, retrieval, facts);
    }
    case 'chunk': {
      const retrieval = plan.events.find((each): each is RetrievalEvent => isOf(each, 'retrieval', store));
      return retrieval === undefined ? UNDECIDABLE : decideChunk(plan, retrieval, facts);
    }
    case 'ingest': {
      const ingest = plan.events.find((each): each is IngestEvent => isOf(each, 'ingest', store));
      return ingest === undefined ? UNDECIDABLE : decideIngest(plan, ingest, facts);
    }
    case 'egress': {
      const egress = plan.events.find((each): each is EgressEvent => each.kind === 'egress');
      return egress === undefined ? UNDECIDABLE : decideEgress(plan, egress, facts);
    }
    case 'exchange': {
      const exchange = plan.events.find((each): each is ExchangeEvent => each.kind === 'exchange');
      return exchange === undefined ? UNDECIDABLE : decideExchange(plan, exchange, facts);
    }
    default:
      return UNDECIDABLE;
  }
}

function isOf(event: EventPlan, kind: 'retrieval' | 'ingest', store: unknown): boolean {
  return event.kind === kind && event.store === store;
}

const UNDECIDABLE: Decision = {
  event: null,
  outcome: 'deny',
  model: null,
  classification: null,
  redact: [],
  outputTokens: null,
  reserve: [],
  tags: [],
  set: [],
  holds: [],
  keeps: [],
  reasons: [{ kind: 'input' }],
  fired: [],
  failed: [],
};
