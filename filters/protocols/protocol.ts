/**
 * What a protocol is: one file each in this folder, listed in `protocols.ts`. A protocol is data: which endpoints there
 * are, and what every value of their bodies means. A value that no place describes is denied; so a protocol's file is
 * also the list of what is scanned and of what is refused.
 */

export interface Protocol {
  readonly name: string;
  readonly title: string;
  /** In whose form errors are given to the client. */
  readonly form: 'openai' | 'anthropic' | 'chroma';
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoint {
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /**
   * Exact, but for whole segments `{name}`, which hold letters, digits, `.`, `_`, `-`. A query string is never
   * accepted.
   */
  readonly path: string;
  /** `pass`: nothing but identity and the path is checked; the request has no body. */
  readonly event: 'prompt' | 'retrieval' | 'ingest' | 'pass';
  readonly request?: Place;
  readonly reply?: Place;
  /** The data of one event of a `text/event-stream` reply. */
  readonly stream?: Place;
  /** Tokens that the model's template may add to the text: once a request, and once a message. */
  readonly overhead?: { readonly request: number; readonly message: number };
  /** The reply has one row of chunks a query. */
  readonly rows?: boolean;
  /** The path's `{collection}` is the collection's name, not its id. */
  readonly byName?: boolean;
  /** The reply has no generated text. */
  readonly noOutput?: boolean;
  /** A streamed reply gives usage only if `stream_options.include_usage` asks for it. */
  readonly askUsage?: boolean;
  /** A write to a document that is there keeps the metadata that it does not name. */
  readonly keeps?: boolean;
  /**
   * Fields at the top of the request that a rule may `set`, and what they take; ranges of numbers are the provider's.
   * `request` says what a client may write there, which can be nothing.
   */
  readonly settable?: { readonly [field: string]: Place };
  /** `max_tokens` is added where the request has no limit of its own. */
  readonly maxTokens?: boolean;
}

/** What a place means, by the JSON type of the value that stands there; a type that is not given is denied. */
export interface Place {
  readonly string?: StringMeaning;
  readonly number?: NumberMeaning;
  readonly bool?: BoolMeaning;
  readonly null?: 'plain' | 'cell' | 'empty';
  readonly object?: ObjectPlace;
  readonly array?: { readonly as?: ArrayMeaning; readonly of: Place };
  /** Strings that are allowed as they are. Others are denied (`closed`, the default) or read as text. */
  readonly values?: readonly string[];
  readonly open?: boolean;
  readonly lane?: Lane;
  readonly column?: Column;
  /** Any JSON: every string and key in it is text of the given kind. */
  readonly any?: 'text' | 'local';
}

export interface ObjectPlace {
  readonly as?: ObjectMeaning;
  readonly fields?: { readonly [name: string]: Place };
  /** Of every other key; without it, an unknown key is denied. */
  readonly others?: Place;
}

export type StringMeaning =
  | 'plain'
  | 'text'
  | 'part'
  | 'arguments'
  | 'local'
  | 'enum'
  | 'model'
  | 'role'
  | 'finish'
  | 'tool_name'
  | 'event_type'
  | 'chunk_id'
  | 'chunk_text'
  | 'include'
  | 'collection_id'
  | 'collection_name';
export type NumberMeaning =
  | 'plain'
  | 'vector'
  | 'output_limit'
  | 'choices'
  | 'choice_index'
  | 'tool_index'
  | 'usage_input'
  | 'usage_output'
  | 'limit'
  | 'offset'
  | 'cell';
export type BoolMeaning = 'plain' | 'stream' | 'include_usage';
export type ObjectMeaning =
  | 'message'
  | 'choice'
  | 'tool'
  | 'tool_call'
  | 'stream_options'
  | 'usage'
  | 'where'
  | 'where_text'
  | 'metadata'
  | 'tool_input';
export type ArrayMeaning = 'choice_list' | 'column' | 'row' | 'include_list' | 'vector_cell' | 'tool_calls';
export type Lane = 'content' | 'refusal' | 'reasoning' | 'arguments' | 'other';
export type Column = 'ids' | 'documents' | 'metadatas' | 'distances' | 'embeddings' | 'uris';

/** Named on purpose, and refused whatever stands there. */
export const refused: Place = {};
/** A number, a boolean, or null that carries no text. */
export const number: Place = { number: 'plain', null: 'plain' };
export const flag: Place = { bool: 'plain', null: 'plain' };
/** Text that is scanned, and redacted where a rule asks. */
export const text: Place = { string: 'text', null: 'plain' };
/** Any JSON, with every string and key in it scanned. */
export const anyText: Place = { any: 'text' };
/** What a reply may hold beside what we know: strings are scanned one by one. */
export const anyLocal: Place = { any: 'local' };
/** The same where a stream may give it piece by piece: what follows in a later event is read as one text with it. */
export const anyLane: Place = {
  string: 'text',
  lane: 'other',
  number: 'plain',
  bool: 'plain',
  null: 'plain',
  object: { others: anyLocal },
  array: { of: anyLocal },
};
/** One of the given words; null is as good as absent. */
export const oneOf = (...values: readonly string[]): Place => ({ string: 'enum', values, null: 'plain' });
