// A filter of the tests' own: what it does stands in the request's path. It shows the door and Envoy at work without
// the kernel.
//
//   /echo          passes both ways, untouched           /edit   puts `EDITED ` before both bodies
//   /deny          answers 403 at the request            /refuse answers 451 at the end of the reply
//   /hold          holds a stream back to its end        /throw  fails at the request's body
//   /call          asks the store before it passes       /trap   fails as a wasm that traps
//   anything else: /echo
//
// An event stream passes chunk by chunk, all else is held whole.
import type {
  BudgetLevel,
  FilterPort,
  Header,
  SessionPort,
  SessionStart,
  Step,
} from '../../filters/door/session-port.ts';
import { NO_EDITS } from '../../filters/door/session-port.ts';

export interface ScriptedFilter extends FilterPort {
  readonly opened: SessionStart[];
  readonly open: () => number;
  readonly outcomes: () => number;
}

export interface Script {
  /** Where requests go. */
  readonly route: string;
  /** Put before every reply: tells two filters apart. */
  readonly mark?: string;
  readonly budgets?: readonly string[];
}

/** Kept for tests to look at; under load they are not. */
const OPENED_MAX = 100;
const NOTHING = new Uint8Array();

export function scriptedFilter(script: Script): ScriptedFilter {
  const opened: SessionStart[] = [];
  let open = 0;
  let outcomes = 0;
  return {
    opened,
    open: () => open,
    outcomes: () => outcomes,
    budgets: script.budgets ?? [],
    memoryBytes: () => 0,
    takeFeed: () => false,
    newSession: (start) => {
      if (opened.length < OPENED_MAX) opened.push(start);
      open++;
      return scriptedSession(script, {
        ended: () => outcomes++,
        freed: () => open--,
      });
    },
  };
}

function scriptedSession(script: Script, told: { ended(): void; freed(): void }): SessionPort {
  let path = '';
  let isStream = false;
  let held: Uint8Array[] = [];
  let request = NOTHING;
  let isFreed = false;
  const pass = (body: Uint8Array | undefined, route?: string): Step => ({
    kind: 'continue',
    headers: NO_EDITS,
    body,
    route,
    reserve: [],
  });
  const has = (word: string): boolean => path.includes(`/${word}`);
  const edited = (body: Uint8Array): Uint8Array => (has('edit') ? Buffer.concat([Buffer.from('EDITED '), body]) : body);
  const keep = (bytes: Uint8Array): void => void (bytes.length > 0 && held.push(Uint8Array.from(bytes)));
  const release = (): Step => {
    if (has('refuse'))
      return {
        kind: 'reply',
        status: 451,
        headers: [['content-type', 'application/json']],
        body: Buffer.from('{"error":"refused"}'),
      };
    const body = Buffer.concat([Buffer.from(script.mark ?? ''), edited(Buffer.concat(held))]);
    held = [];
    return pass(body);
  };
  return {
    requestHeaders: (headers, end) => {
      path = valueOf(headers, ':path');
      if (has('deny'))
        return {
          kind: 'reply',
          status: 403,
          headers: [['content-type', 'application/json']],
          body: Buffer.from('{"error":"denied"}'),
        };
      return end ? pass(NOTHING, script.route) : { kind: 'hold' };
    },
    requestBody: (bytes) => {
      if (has('throw')) throw new Error('4111111111111111');
      if (has('trap')) throw new WebAssembly.RuntimeError('unreachable');
      if (has('call')) {
        request = Uint8Array.from(bytes);
        return { kind: 'call', store: 'docs', method: 'GET', path: '/newest', body: NOTHING };
      }
      return pass(has('edit') ? edited(bytes) : undefined, script.route);
    },
    requestTrailers: () => pass(NOTHING),
    responseHeaders: (headers, end) => {
      isStream = valueOf(headers, 'content-type').includes('event-stream');
      return end || isStream ? pass(NOTHING) : { kind: 'hold' };
    },
    responseBody: (bytes, end) => {
      if (isStream && !has('hold')) return pass(undefined);
      keep(bytes);
      return end ? release() : { kind: 'hold' };
    },
    responseTrailers: release,
    levels: (levels: readonly (BudgetLevel | undefined)[]) => pass(Buffer.from(JSON.stringify(levels)), script.route),
    review: () => pass(NOTHING, script.route),
    recorded: () => pass(NOTHING, script.route),
    refuseSpend: () => ({ kind: 'reply', status: 429, headers: [], body: NOTHING }),
    callResponse: (response) =>
      pass(
        Buffer.concat([request, Buffer.from(response === undefined ? ' no answer' : ` ${response.status}`)]),
        script.route,
      ),
    outcome: () => {
      told.ended();
      return {
        records: ['{"event":"prompt","outcome":"allow","fired":["scripted"]}'],
        spentMicros: undefined,
        charged: [],
      };
    },
    free: () => {
      if (isFreed) throw new Error('a session was freed twice');
      isFreed = true;
      told.freed();
    },
  };
}

function valueOf(headers: readonly Header[], name: string): string {
  return headers.find(([each]) => each === name)?.[1] ?? '';
}
