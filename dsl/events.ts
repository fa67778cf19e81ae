/**
 * The events, and THE table of the attributes that are built in: name, type, where the value comes from, which door
 * knows it. What a policy declares itself (caller, models, stores, tools) comes on top. `README.md` prints this table.
 */
import type { EventKind, Root } from './program.ts';

export const EVENT_KINDS = [
  'prompt',
  'completion',
  'toolCall',
  'retrieval',
  'ingest',
  'exchange',
  'egress',
] as const satisfies readonly EventKind[];

/** As the user writes it. */
export const EVENT_WORDING: { readonly [K in EventKind]: string } = {
  prompt: 'prompt',
  completion: 'completion',
  toolCall: 'tool call',
  retrieval: 'retrieval',
  ingest: 'ingest',
  exchange: 'exchange',
  egress: 'egress',
};

export type Door = 'opa' | 'ext_proc' | 'envoy';
/** `classification`: the policy's enum of that name. `content`: scanned text. */
export type BuiltInType =
  | 'bool'
  | 'int'
  | 'text'
  | 'tokens'
  | 'bytes'
  | 'time'
  | 'content'
  | 'classification'
  | 'message_role'
  | 'finish_reason'
  | 'messages'
  | 'toolCalls'
  | 'chunks';

export type BuiltInAttribute = {
  readonly root: Root | 'message' | 'toolCallItem';
  /** Empty for a root that is an attribute itself. */
  readonly name: string;
  readonly type: BuiltInType;
  readonly optional: boolean;
  readonly events: readonly EventKind[];
  readonly source: string;
  readonly doors: readonly Door[];
  readonly doc: string;
};

/** Enums that every policy has. */
export const BUILT_IN_ENUMS: { readonly [name: string]: readonly string[] } = {
  message_role: ['system', 'developer', 'user', 'assistant', 'tool'],
  finish_reason: ['stop', 'length', 'tool_calls', 'content_filter', 'other'],
};

const ALL: readonly Door[] = ['opa', 'ext_proc', 'envoy'];
const AFTER_PROMPT: readonly EventKind[] = ['prompt', 'completion', 'toolCall', 'exchange'];
const REPLY: readonly EventKind[] = ['completion', 'exchange'];

export const BUILT_IN_ATTRIBUTES: readonly BuiltInAttribute[] = [
  {
    root: 'now',
    name: '',
    type: 'time',
    optional: false,
    events: EVENT_KINDS,
    source: 'the clock of the door',
    doors: ALL,
    doc: 'the instant at which the request arrived',
  },
  {
    root: 'text',
    name: '',
    type: 'content',
    optional: false,
    events: ['prompt', 'completion', 'toolCall', 'retrieval', 'ingest'],
    source: 'the body',
    doors: ALL,
    doc: 'all text of the event: of every message, the reply, the tool arguments, the chunk or the document',
  },
  {
    root: 'prompt',
    name: 'classification',
    type: 'classification',
    optional: false,
    events: AFTER_PROMPT,
    source: '`base classification` and every `classify` that fires',
    doors: ALL,
    doc: 'the class of the prompt as it came',
  },
  {
    root: 'prompt',
    name: 'sent_classification',
    type: 'classification',
    optional: false,
    events: ['prompt'],
    source: '`classify` over the redacted text',
    doors: ALL,
    doc: 'the class of the prompt as it would leave for a candidate; no `redact` may read it',
  },
  {
    root: 'prompt',
    name: 'tokens_estimate',
    type: 'tokens',
    optional: false,
    events: AFTER_PROMPT,
    source: 'UTF-8 bytes of all text',
    doors: ALL,
    doc: 'upper estimate of the input tokens',
  },
  {
    root: 'prompt',
    name: 'output_tokens',
    type: 'tokens',
    optional: true,
    events: AFTER_PROMPT,
    source: 'the request',
    doors: ALL,
    doc: 'the output limit that the client asked for',
  },
  {
    root: 'prompt',
    name: 'complexity',
    type: 'int',
    optional: false,
    events: AFTER_PROMPT,
    source: 'the kernel’s formula',
    doors: ALL,
    doc: '0 to 1000: how hard the question seems; the kernel documents the formula',
  },
  {
    root: 'prompt',
    name: 'messages',
    type: 'messages',
    optional: false,
    events: AFTER_PROMPT,
    source: 'the request',
    doors: ALL,
    doc: 'the messages, each with `role` and `text`',
  },
  {
    root: 'prompt',
    name: 'bytes',
    type: 'bytes',
    optional: false,
    events: AFTER_PROMPT,
    source: 'the request',
    doors: ALL,
    doc: 'length of the body',
  },
  {
    root: 'prompt',
    name: 'stream',
    type: 'bool',
    optional: false,
    events: AFTER_PROMPT,
    source: 'the request',
    doors: ALL,
    doc: 'the client asked for a stream',
  },
  {
    root: 'prompt',
    name: 'choices',
    type: 'int',
    optional: false,
    events: AFTER_PROMPT,
    source: 'the request (`n`)',
    doors: ALL,
    doc: 'how many replies the client asked for',
  },
  {
    root: 'prompt',
    name: 'tools',
    type: 'int',
    optional: false,
    events: AFTER_PROMPT,
    source: 'the request',
    doors: ALL,
    doc: 'how many tools the client offers',
  },
  {
    root: 'prompt',
    name: 'requested_model',
    type: 'text',
    optional: false,
    events: AFTER_PROMPT,
    source: 'the request',
    doors: ALL,
    doc: 'the model name that the client wrote',
  },
  {
    root: 'completion',
    name: 'tokens',
    type: 'tokens',
    optional: false,
    events: REPLY,
    source: 'the reply’s usage',
    doors: ALL,
    doc: 'output tokens, once the reply has ended; buffers the reply',
  },
  {
    root: 'completion',
    name: 'finish_reason',
    type: 'finish_reason',
    optional: false,
    events: REPLY,
    source: 'the reply',
    doors: ALL,
    doc: 'why the reply ended; buffers the reply',
  },
  {
    root: 'completion',
    name: 'tool_calls',
    type: 'toolCalls',
    optional: false,
    events: REPLY,
    source: 'the reply',
    doors: ALL,
    doc: 'the tool calls, each with `name` and `text`; buffers the reply',
  },
  {
    root: 'completion',
    name: 'classification',
    type: 'classification',
    optional: false,
    events: REPLY,
    source: '`classify completion`',
    doors: ALL,
    doc: 'the class of the reply',
  },
  {
    root: 'retrieval',
    name: 'limit',
    type: 'int',
    optional: true,
    events: ['retrieval'],
    source: 'the request',
    doors: ALL,
    doc: 'how many chunks the client asked for',
  },
  {
    root: 'retrieval',
    name: 'chunks',
    type: 'chunks',
    optional: false,
    events: ['retrieval'],
    source: 'the store’s answer',
    doors: ['ext_proc', 'envoy'],
    doc: 'all chunks of the answer, each with the attributes of its store',
  },
  {
    root: 'tool',
    name: 'name',
    type: 'text',
    optional: false,
    events: ['toolCall'],
    source: 'the reply',
    doors: ALL,
    doc: 'the tool’s name on the wire',
  },
  {
    root: 'egress',
    name: 'host',
    type: 'text',
    optional: false,
    events: ['egress'],
    source: 'TLS SNI',
    doors: ['envoy'],
    doc: 'the host that is called',
  },
  {
    root: 'message',
    name: 'role',
    type: 'message_role',
    optional: false,
    events: AFTER_PROMPT,
    source: 'the request',
    doors: ALL,
    doc: 'who speaks',
  },
  {
    root: 'message',
    name: 'text',
    type: 'content',
    optional: false,
    events: AFTER_PROMPT,
    source: 'the request',
    doors: ALL,
    doc: 'the text of the message',
  },
  {
    root: 'toolCallItem',
    name: 'name',
    type: 'text',
    optional: false,
    events: REPLY,
    source: 'the reply',
    doors: ALL,
    doc: 'the tool’s name on the wire',
  },
  {
    root: 'toolCallItem',
    name: 'text',
    type: 'content',
    optional: false,
    events: REPLY,
    source: 'the reply',
    doors: ALL,
    doc: 'the text of its arguments',
  },
];

/** Roots whose attributes the policy declares, and the events that have them. */
export const DECLARED_ROOTS: {
  readonly [K in 'caller' | 'model' | 'chunk' | 'tool']: {
    readonly events: readonly EventKind[];
    readonly declaredBy: string;
  };
} = {
  // Who opens a connection to the outside is not known.
  caller: { events: EVENT_KINDS.filter((event) => event !== 'egress'), declaredBy: 'caller' },
  model: { events: AFTER_PROMPT, declaredBy: 'models' },
  chunk: { events: ['retrieval', 'ingest'], declaredBy: 'store' },
  tool: { events: ['toolCall'], declaredBy: 'tool' },
};
