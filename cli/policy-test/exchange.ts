/** One prompt and its completion, as OpenAI chat messages through a session of the compiled filter. */
import { createHash, randomBytes } from 'node:crypto';
import type { Decision } from '../../compiler/plan/decision.ts';
import { SHARE_WHOLE } from '../../compiler/plan/keep.ts';
import type { Plan } from '../../compiler/plan/plan.ts';
import type { GivenAttribute, Program, TestStep } from '../../dsl/program.ts';
import type { Header, Step } from '../../filters/door/session-port.ts';
import type { WasmSession } from '../../filters/host/wasm-session.ts';
import { budgetOf } from '../../proto/account-name.ts';
import { factValues, type WireValue } from './given.ts';
import type { PolicyUnderTest } from './policy-under-test.ts';
import { receiptFor } from './receipt.ts';

/** What came of a step. */
export interface Happened {
  /** Null where the session answered before any decision, and `refusal` says why. */
  readonly decision: Decision | null;
  /** The text that went on: to the model for a prompt, to the client for a completion. Null where nothing did. */
  readonly sent: string | null;
  readonly refusal: string | null;
}

export type Levels = ReadonlyMap<string, { readonly headroom: number; readonly spent: number }>;

/** Placeholders end in what makes them unguessable; tests write them without it. */
const PLACEHOLDER = /\[([A-Z0-9_]+_\d+)_[A-Za-z0-9]{8,}\]/g;
/** Pseudonyms end in what nobody can work out; tests write `[EMAIL:pseudonym]`. */
const PSEUDONYM = /\[([A-Z0-9_]+):[a-z]{19}\]/g;

/** What a prompt carries beside its body. */
const RECEIPTS = 'receipts';

/** Exchanges that are tried until one is drawn by the smallest share: of one in a million, enough nearly always. */
const DRAWS_MAX = 16_000_000n;
/** Of no queue. */
const TICKET = '0'.repeat(32);

export class Exchange {
  readonly #session: WasmSession;
  readonly #levels: Levels;
  readonly #program: Program;
  readonly #receipt: (className: string) => string;
  #ended = false;
  #seen = 0;

  constructor(
    { filter, program, plan }: PolicyUnderTest,
    nowMs: number,
    claims: { readonly [claim: string]: WireValue },
    levels: Levels,
  ) {
    this.#receipt = (className) => receiptFor(claims, className, { nowMs, policy: program.policy.name });
    const jwt = JSON.parse(JSON.stringify(claims)) as { [claim: string]: string };
    this.#session = filter.newSession({
      evidence: { jwt, san: undefined },
      nowMs,
      nonce: nonceOf(plan, nowMs),
    });
    this.#levels = levels;
    this.#program = program;
  }

  prompt({ requested, text, attributes }: TestStep & { readonly kind: 'prompt' }): Happened {
    const body = Buffer.from(
      JSON.stringify({
        model: requested,
        messages: [{ role: 'user', content: text }],
        ...fieldsOf(attributes, this.#program),
      }),
    );
    const headers: Header[] = [
      [':method', 'POST'],
      [':path', '/v1/chat/completions'],
      [':scheme', 'http'],
      [':authority', 'test'],
      ['content-type', 'application/json'],
      ['content-length', String(body.length)],
      ...receiptsOf(attributes).map((className): Header => ['x-writ-receipt', this.#receipt(className)]),
    ];
    this.#settle(this.#session.requestHeaders(headers, false));
    const step = this.#settle(this.#session.requestBody(body, true));
    return this.#happened(step, body, (sent) => lastMessage(sent));
  }

  completion(text: string): Happened {
    return this.#reply({ role: 'assistant', content: text }, 'stop', replyText);
  }

  /** A reply with one call. What is sent of it are its arguments. */
  toolCall({ tool, arguments: given }: TestStep & { readonly kind: 'toolCall' }): Happened {
    const declared = this.#program.tools.find(({ name }) => name === tool);
    if (declared === undefined) throw new Error(`there is no tool \`${tool}\``);
    const values = factValues(given, this.#program);
    const wire = Object.fromEntries(
      declared.attributes.flatMap(({ name, source }) =>
        values[name] === undefined ? [] : [[source?.name ?? name, values[name]]],
      ),
    );
    const call = {
      id: 'call_1',
      type: 'function',
      function: { name: declared.wirePattern.replace(/\*$/, ''), arguments: JSON.stringify(wire) },
    };
    return this.#reply({ role: 'assistant', content: null, tool_calls: [call] }, 'tool_calls', callArguments);
  }

  #reply(message: object, reason: string, read: (body: unknown) => string | null): Happened {
    const body = Buffer.from(
      JSON.stringify({
        object: 'chat.completion',
        choices: [{ index: 0, message, finish_reason: reason }],
        usage: { prompt_tokens: 1, completion_tokens: 1 },
      }),
    );
    this.#settle(
      this.#session.responseHeaders(
        [
          [':status', '200'],
          ['content-type', 'application/json'],
          ['content-length', String(body.length)],
        ],
        false,
      ),
    );
    const step = this.#settle(this.#session.responseBody(body, true));
    return this.#happened(step, body, read);
  }

  /** The exchange is over: whatever rules on exchanges say of it. */
  over(): Happened {
    this.#session.outcome();
    const decision = this.#lastDecision();
    return {
      decision,
      sent: null,
      refusal: decision === null ? 'no rule is about exchanges, or it is over already' : null,
    };
  }

  end(): void {
    if (!this.#ended) this.#session.free();
    this.#ended = true;
  }

  /** Answers what the session asks of its host, until it says what becomes of the message. */
  #settle(step: Step): Step {
    let now = step;
    while (now.kind === 'levels' || now.kind === 'record')
      now =
        now.kind === 'record'
          ? this.#session.recorded(true)
          : this.#session.levels(now.budgets.map((account) => this.#levels.get(budgetOf(account))));
    // Nobody has approved what a test asks.
    if (now.kind === 'review') return this.#session.review({ state: 'pending', ticket: TICKET, seconds: 0 });
    if (now.kind === 'call') throw new Error('a test cannot ask a store');
    return now;
  }

  #happened(step: Step, given: Uint8Array, read: (body: unknown) => string | null): Happened {
    const decision = this.#lastDecision();
    if (step.kind === 'continue')
      return {
        decision,
        sent:
          read(JSON.parse(Buffer.from(step.body ?? given).toString()))
            ?.replace(PLACEHOLDER, '[$1]')
            .replace(PSEUDONYM, '[$1:pseudonym]') ?? null,
        refusal: null,
      };
    const refusal = step.kind === 'reply' ? messageOf(Buffer.from(step.body).toString()) : 'the session waits for more';
    return { decision, sent: null, refusal };
  }

  /** Of the decisions that the session has recorded since the last step: one that denies, else the newest. */
  #lastDecision(): Decision | null {
    const records = this.#session.records();
    const fresh = records.slice(this.#seen).map((record) => JSON.parse(record) as Decision);
    this.#seen = records.length;
    return fresh.find(({ outcome }) => outcome === 'deny') ?? fresh.at(-1) ?? null;
  }
}

/** The class of the receipt that a prompt carries. */
function receiptsOf(attributes: readonly GivenAttribute[]): readonly string[] {
  return attributes.flatMap(({ name, value }) => (name === RECEIPTS && value.kind === 'member' ? [value.name] : []));
}

/**
 * One that every sample takes, where the policy samples a part of its exchanges: a test must not pass on one day and fail
 * on another.
 */
function nonceOf(plan: Plan, nowMs: number): bigint {
  const shares = plan.events
    .flatMap(({ rules }) => rules.flatMap(({ effects }) => effects))
    .flatMap((effect) => (effect.kind === 'keep' && effect.share < SHARE_WHOLE ? [effect.share] : []));
  if (shares.length === 0) return randomBytes(8).readBigUInt64LE();
  const least = Math.min(...shares);
  for (let nonce = 0n; nonce < DRAWS_MAX; nonce += 1n) if (drawOf(nonce, nowMs) < least) return nonce;
  throw new Error('a test cannot draw an exchange for so small a share');
}

/** As the kernel draws (filters/kernel/keep/keeps.ts). */
function drawOf(nonce: bigint, nowMs: number): number {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(nonce);
  bytes.writeBigInt64LE(BigInt(nowMs), 8);
  const digest = createHash('sha256').update('writ keep 1').update(bytes).digest();
  return Number(digest.readBigUInt64LE() % BigInt(SHARE_WHOLE));
}

/** The prompt's attributes that a request can carry. */
function fieldsOf(attributes: readonly GivenAttribute[], program: Program): object {
  const values = factValues(attributes, program);
  const fields: { [name: string]: unknown } = {};
  for (const [name, value] of Object.entries(values)) {
    if (name === 'output_tokens') fields['max_tokens'] = value;
    else if (name === 'choices') fields['n'] = value;
    else if (name === 'stream') fields['stream'] = value;
    else if (name === 'tools')
      fields['tools'] = Array.from({ length: Number(value) }, (_, at) => ({
        type: 'function',
        function: { name: `tool_${at + 1}` },
      }));
    else if (name !== RECEIPTS) throw new Error(`\`prompt.${name}\` follows from the text: a test cannot set it`);
  }
  return fields;
}

function lastMessage(body: unknown): string {
  const messages = (body as { readonly messages: readonly { readonly content: string }[] }).messages;
  return messages.at(-1)?.content ?? '';
}

function replyText(body: unknown): string {
  return (
    (body as { readonly choices: readonly { readonly message: { readonly content: string } }[] }).choices[0]?.message
      .content ?? ''
  );
}

/** Null where no call was left. */
function callArguments(body: unknown): string | null {
  interface Said {
    readonly tool_calls?: readonly { readonly function: { readonly arguments: string } }[];
  }
  const [choice] = (body as { readonly choices: readonly { readonly message: Said }[] }).choices;
  return choice?.message.tool_calls?.[0]?.function.arguments ?? null;
}

function messageOf(body: string): string {
  try {
    const parsed = JSON.parse(body) as { readonly error?: { readonly message?: string } };
    return parsed.error?.message ?? body;
  } catch {
    return body;
  }
}
