// policy.wasm as OPA's hosts see it: the exports, values and paths, the heap, hostile inputs, sizes, and that it is
// made anew the same.
import { beforeAll, describe, expect, test } from 'vitest';
import { decide } from '../../compiler/interpret/decide.ts';
import type { Decision } from '../../compiler/plan/decision.ts';
import { policyWasm } from '../../compiler/wasm/policy-wasm.ts';
import { WRIT_SECTION } from '../../compiler/wasm/link.ts';
import { policyHost } from '../host/policy-host.ts';
import { ALLOW, deny, plan, prompt, promptInput, redact, rule, TRUE, VERIFIED } from '../interpret/small-plan.ts';
import { opaKernel } from './kernel.ts';

const thePlan = plan([
  prompt({
    default: 'deny',
    rules: [
      rule('allow_all', TRUE, ALLOW),
      rule('no_verified', VERIFIED, deny('not "you"\n')),
      rule('mask', TRUE, redact('mask', 'email')),
    ],
  }),
]);
const ENCODER = new TextEncoder();
let wasm: Uint8Array;

beforeAll(async () => {
  wasm = policyWasm(await opaKernel(), thePlan);
});

/** The module with a memory of its own and an `opa_abort` that throws, and helpers that do what hosts do. */
function instance() {
  const memory = new WebAssembly.Memory({ initial: 5 });
  const textAt = (address: number) => {
    const bytes = new Uint8Array(memory.buffer);
    return new TextDecoder().decode(bytes.subarray(address, bytes.indexOf(0, address)));
  };
  const env = {
    memory,
    opa_abort: (message: number) => {
      throw new Error(textAt(message));
    },
  };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env });
  const opa = exports as unknown as { readonly [name: string]: (...args: readonly number[]) => number };
  const write = (text: string | Uint8Array): readonly [number, number] => {
    const bytes = typeof text === 'string' ? ENCODER.encode(text) : text;
    const at = opa['opa_malloc']!(bytes.length);
    new Uint8Array(memory.buffer).set(bytes, at);
    return [at, bytes.length];
  };
  return {
    memory,
    opa,
    textAt,
    write,
    json: (text: string) => opa['opa_json_parse']!(...write(text)),
    value: (text: string) => opa['opa_value_parse']!(...write(text)),
    dump: (value: number) => textAt(opa['opa_json_dump']!(value)),
    eval: (text: string | Uint8Array, format = 0) => {
      const [at, length] = write(text);
      return textAt(opa['opa_eval']!(0, 0, 0, at, length, opa['opa_heap_ptr_get']!(), format));
    },
  };
}

function decisionOf(answer: string): Decision {
  const [binding] = JSON.parse(answer) as readonly { readonly result: Decision }[];
  return binding!.result;
}

describe('the module', () => {
  test('imports only memory and opa_abort, and declares ABI 1.3', () => {
    const module = new WebAssembly.Module(wasm);
    expect(
      WebAssembly.Module.imports(module)
        .map(({ module: from, name }) => `${from}.${name}`)
        .sort(),
    ).toEqual(['env.memory', 'env.opa_abort']);
    const { opa } = instance();
    const globals = opa as unknown as { readonly [name: string]: WebAssembly.Global };
    expect([globals['opa_wasm_abi_version']!.value, globals['opa_wasm_abi_minor_version']!.value]).toEqual([1, 3]);
  });

  test("exports what the ABI names, and nothing of the linker's", () => {
    const names = WebAssembly.Module.exports(new WebAssembly.Module(wasm)).map(({ name }) => name);
    for (const name of [
      ...'memory eval builtins entrypoints opa_eval opa_eval_ctx_new opa_eval_ctx_set_input opa_eval_ctx_set_data opa_eval_ctx_set_entrypoint opa_eval_ctx_get_result'.split(
        ' ',
      ),
      ...'opa_malloc opa_free opa_json_parse opa_value_parse opa_json_dump opa_value_dump opa_heap_ptr_get opa_heap_ptr_set opa_heap_blocks_stash'.split(
        ' ',
      ),
      ...'opa_heap_blocks_restore opa_heap_stash_clear opa_value_free opa_value_add_path opa_value_remove_path'.split(
        ' ',
      ),
    ]) {
      expect(names).toContain(name);
    }
    expect(names.filter((name) => name.startsWith('decision_'))).toEqual([]);
  });

  test('is at most 40 KB, without names, and says what it was made from', () => {
    expect(wasm.length).toBeLessThanOrEqual(40_000);
    const module = new WebAssembly.Module(wasm);
    expect(WebAssembly.Module.customSections(module, 'name')).toEqual([]);
    const [section] = WebAssembly.Module.customSections(module, WRIT_SECTION);
    expect(JSON.parse(new TextDecoder().decode(section))).toEqual({
      policy: 'test',
      sourceHash: '0'.repeat(64),
      compiler: '0',
      plan: 1,
    });
  });

  test('is the same when made again, and other policies have other code', async () => {
    expect(policyWasm(await opaKernel(), thePlan)).toEqual(wasm);
    const other = policyWasm(
      await opaKernel(),
      plan([prompt({ default: 'deny', rules: [rule('allow_all', VERIFIED, ALLOW)] })]),
    );
    expect(codeOf(other)).not.toEqual(codeOf(wasm));
  });

  test("runs in memory of OPA's 5 pages with a thousand rules", async () => {
    const rules = Array.from({ length: 1_000 }, (_, at) =>
      rule(
        `r${String(at).padStart(4, '0')}`,
        { kind: 'text_equals', left: { kind: 'fact', fact: 3 }, right: { kind: 'text', value: `u${at}` } },
        deny(`no ${at}`),
      ),
    );
    const big = plan([prompt({ rules })]);
    const host = policyHost(policyWasm(await opaKernel(), big));
    for (const id of ['u0', 'u63', 'u64', 'u999', 'u1000']) {
      const input = promptInput({ caller: { id } });
      expect(host.decide(input)).toEqual(decide(big, input));
    }
  });
});

/** The bytes of section 10. */
function codeOf(module: Uint8Array): Uint8Array {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  for (;;) {
    const id = module[at++];
    const size = number();
    if (id === 10) return module.subarray(at, at + size);
    at += size;
  }
}

describe('evaluation', () => {
  test('the fast path answers a set of one binding, as JSON and as a Rego value', () => {
    const { eval: evaluate } = instance();
    const document = JSON.stringify(promptInput());
    const json = evaluate(document);
    expect(decisionOf(json)).toEqual(decide(thePlan, promptInput()));
    expect(evaluate(document, 1)).toBe(`{{"result":${json.slice('[{"result":'.length, -2)}}}`);
  });

  test('evaluation contexts answer the same', () => {
    const { opa, json, dump, eval: evaluate } = instance();
    const document = JSON.stringify(promptInput({ caller: { verified: true } }));
    const context = opa['opa_eval_ctx_new']!();
    opa['opa_eval_ctx_set_input']!(context, json(document));
    opa['opa_eval_ctx_set_data']!(context, json('{}'));
    opa['opa_eval_ctx_set_entrypoint']!(context, 0);
    expect(opa['eval']!(context)).toBe(0);
    expect(dump(opa['opa_eval_ctx_get_result']!(context))).toBe(evaluate(document));
  });

  test('an unknown entrypoint and a reserved argument abort', () => {
    const { opa } = instance();
    const heap = opa['opa_heap_ptr_get']!();
    expect(() => opa['opa_eval']!(0, 1, 0, 0, 0, heap, 0)).toThrow('unknown entrypoint');
    expect(() => opa['opa_eval']!(1, 0, 0, 0, 0, heap, 0)).toThrow('invalid reserved argument');
    const context = opa['opa_eval_ctx_new']!();
    opa['opa_eval_ctx_set_entrypoint']!(context, 7);
    expect(() => opa['eval']!(context)).toThrow('unknown entrypoint');
  });

  test('names its entrypoint and no builtins', () => {
    const { opa, dump } = instance();
    expect(dump(opa['entrypoints']!())).toBe('{"writ/decision":0}');
    expect(dump(opa['builtins']!())).toBe('{}');
  });

  test('no input is an input that cannot be decided', () => {
    const { opa, textAt } = instance();
    const heap = opa['opa_heap_ptr_get']!();
    expect(decisionOf(textAt(opa['opa_eval']!(0, 0, 0, 0, 0, heap, 0)))).toEqual(decide(thePlan, undefined));
  });

  test('sets of Rego are read as arrays', () => {
    const { eval: evaluate, value, dump } = instance();
    const input = JSON.stringify(promptInput())
      .replace('"id":"u1"', '"id":"u1","groups":{"a","b"}')
      .replace('"found":[]', '"found":set()');
    expect(decisionOf(evaluate(input))).toEqual(decide(thePlan, promptInput({ caller: { groups: ['a', 'b'] } })));
    expect(dump(value('{"a": {1, 2, {"k": set()}}, "b": {}}'))).toBe('{"a":[1,2,{"k":[]}],"b":{}}');
  });
});

describe('values and paths', () => {
  test('parses what is JSON and nothing else', () => {
    const { json, dump } = instance();
    for (const text of ['{"a":[1,-0.5e3,true,null,"\\u00e4\\ud83d\\ude00"]}', '[]', '""', '0', ' [1 , 2] '])
      expect(JSON.parse(dump(json(text)))).toEqual(JSON.parse(text));
    for (const text of [
      '',
      '{',
      '[1,]',
      '{,}',
      '{"a"}',
      '01',
      '1.',
      '+1',
      'nul',
      '"\\x"',
      '"\n"',
      '[1] 2',
      'NaN',
      '{1,2}',
      '\ufeff{}',
    ])
      expect(json(text), text).toBe(0);
  });

  const paths: readonly (readonly [string, string, string, string])[] = [
    ['{}', '["a"]', '1', '{"a":1}'],
    ['{"a":1}', '["a"]', '[2]', '{"a":[2]}'],
    ['{"b":1}', '["a","x","y"]', '1', '{"a":{"x":{"y":1}},"b":1}'],
    ['{"a":{"x":1,"y":2}}', '["a","y"]', '{}', '{"a":{"x":1,"y":{}}}'],
    ['{"a":{}}', '["a","\\u00e4"]', '1', '{"a":{"\\u00e4":1}}'],
  ];
  test.each(paths)('add to %s at %s: %s', (base, path, value, expected) => {
    const { opa, json, dump } = instance();
    const data = json(base);
    expect(opa['opa_value_add_path']!(data, json(path), json(value))).toBe(0);
    expect(JSON.parse(dump(data))).toEqual(JSON.parse(expected));
  });

  const removals: readonly (readonly [string, string, string])[] = [
    ['{"a":1}', '["a"]', '{}'],
    ['{"a":1,"b":2}', '["a"]', '{"b":2}'],
    ['{"a":1 , "b":2}', '["b"]', '{"a":1}'],
    ['{"a":{"x":1,"y":2,"z":3}}', '["a","y"]', '{"a":{"x":1,"z":3}}'],
    ['{"a":1}', '["b"]', '{"a":1}'],
    ['{"a":{}}', '["a","b","c"]', '{"a":{}}'],
  ];
  test.each(removals)('remove from %s at %s', (base, path, expected) => {
    const { opa, json, dump } = instance();
    const data = json(base);
    expect(opa['opa_value_remove_path']!(data, json(path))).toBe(0);
    expect(JSON.parse(dump(data))).toEqual(JSON.parse(expected));
  });

  test('errors: 2 where something on the way is no object, 3 where the path is none', () => {
    const { opa, json } = instance();
    const add = (base: string, path: string) => opa['opa_value_add_path']!(json(base), json(path), json('1'));
    expect([
      add('[]', '["a"]'),
      add('{"a":1}', '["a","b"]'),
      add('{}', '[]'),
      add('{}', '"a"'),
      add('{}', '[1]'),
    ]).toEqual([2, 2, 3, 3, 3]);
  });

  test('the heap between two pointers can be copied into another instance', () => {
    const first = instance();
    const base = first.opa['opa_heap_ptr_get']!();
    const data = first.json('{"a":{"b":1}}');
    const end = first.opa['opa_heap_ptr_get']!();
    const second = instance();
    new Uint8Array(second.memory.buffer).set(new Uint8Array(first.memory.buffer).subarray(base, end), base);
    second.opa['opa_heap_ptr_set']!(end);
    expect(second.dump(data)).toBe('{"a":{"b":1}}');
    expect(second.opa['opa_value_add_path']!(data, second.json('["a","c"]'), second.json('2'))).toBe(0);
    expect(JSON.parse(second.dump(data))).toEqual({ a: { b: 1, c: 2 } });
    expect(first.dump(data)).toBe('{"a":{"b":1}}');
  });
});

describe('hostile inputs', () => {
  const undecidable = decide(thePlan, undefined);
  const bytes = (...values: readonly number[]) => Uint8Array.from(values);
  const within = (depth: number) => `{"event":"prompt","x":${'['.repeat(depth)}${']'.repeat(depth)}}`;

  test.each([
    ['nothing but spaces', '   '],
    ['truncated', JSON.stringify(promptInput()).slice(0, -1)],
    ['trailing bytes', `${JSON.stringify(promptInput())}x`],
    ['a byte order mark', `\ufeff${JSON.stringify(promptInput())}`],
    ['an array of 100,000 levels', '['.repeat(100_000)],
    ['an object of 100,000 levels', '{"a":'.repeat(100_000)],
    ['65 levels', within(64)],
    ['invalid UTF-8', bytes(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)],
    ['an encoded surrogate', bytes(0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d)],
    ['an overlong slash', bytes(0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x3a, 0x31, 0x7d)],
    ['a NUL', bytes(0x7b, 0x00, 0x7d)],
    ['two events', '{"event":"prompt","event":"prompt"}'],
    ['an event that is no text', '{"event":["prompt"]}'],
  ])('%s cannot be decided', (_, text) => {
    expect(decisionOf(instance().eval(text))).toEqual(undecidable);
  });

  test('64 levels can', () => {
    expect(decisionOf(instance().eval(within(63))).event).toBe('prompt');
  });

  test('20 MB are read, and leave the memory as it was for the next', () => {
    const { eval: evaluate, opa, memory } = instance();
    const heap = opa['opa_heap_ptr_get']!();
    const big = JSON.stringify({ ...(promptInput() as object), filler: 'x'.repeat(20 << 20) });
    expect(decisionOf(evaluate(big))).toEqual(decide(thePlan, promptInput()));
    const after = memory.buffer.byteLength;
    opa['opa_heap_ptr_set']!(heap);
    expect(decisionOf(evaluate(big)).outcome).toBe('allow');
    expect(memory.buffer.byteLength).toBe(after);
  });

  test('every prefix of a document, and every byte changed, gives an answer and no trap', () => {
    const { eval: evaluate, opa } = instance();
    const heap = opa['opa_heap_ptr_get']!();
    const document = ENCODER.encode(
      JSON.stringify(promptInput({ caller: { groups: ['a', '\u{1f600}'] }, prompt: { tokens_estimate: 30.5e1 } })),
    );
    for (let at = 0; at < document.length; at++) {
      opa['opa_heap_ptr_set']!(heap);
      expect(decisionOf(evaluate(document.subarray(0, at)))).toEqual(undecidable);
      for (const byte of [0x00, 0x22, 0x5c, 0x7b, 0x7d, 0x2c, 0x80, 0xff]) {
        opa['opa_heap_ptr_set']!(heap);
        const changed = document.slice();
        changed[at] = byte;
        expect(['allow', 'deny']).toContain(decisionOf(evaluate(changed)).outcome);
      }
    }
  });

  const failing: readonly (readonly [string, string, string])[] = [
    ['a doubled key', '"id":"u1"', '"id":"u1","id":"u1"'],
    ['a key doubled by an escape', '"id":"u1"', '"id":"u1","\\u0069d":"u1"'],
    ['a null and a value', '"id":"u1"', '"id":null,"id":"u1"'],
    ['a lone surrogate', '"id":"u1"', '"id":"\\ud800"'],
    ['a number for a text', '"id":"u1"', '"id":1'],
    [
      '257 members',
      '"id":"u1"',
      `"id":"u1","groups":${JSON.stringify(Array.from({ length: 257 }, (_, at) => `g${at}`))}`,
    ],
    ['a set with a null', '"id":"u1"', '"id":"u1","groups":[null]'],
    ['no member of the enum', '"region":"eu"', '"region":"mars"'],
  ];
  test.each(failing)('%s fails the fact', (_, from, to) => {
    const facts = plan([
      prompt({
        rules: [
          rule(
            'reads',
            {
              kind: 'or',
              of: ['caller.id', 'caller.groups', 'caller.region'].map(
                (path) =>
                  ({
                    kind: 'known',
                    fact: { kind: 'fact', fact: thePlan.facts.findIndex((each) => each.path.join('.') === path) },
                  }) as const,
              ),
            },
            redact('mask', 'email'),
          ),
        ],
      }),
    ]);
    const host = opaKernel().then((kernel) => policyHost(policyWasm(kernel, facts)));
    return host.then(({ decide: ask }) => {
      const decision = ask(ENCODER.encode(JSON.stringify(promptInput()).replace(from, to)));
      expect(decision.failed).toHaveLength(1);
      expect(decision.reasons).toEqual([{ kind: 'failed', rule: 'reads', facts: decision.failed }]);
    });
  });

  test('256 members do not', () => {
    const host = policyHost(wasm);
    const input = promptInput({ caller: { groups: Array.from({ length: 256 }, (_, at) => `g${at}`) } });
    expect(host.decide(input)).toEqual(decide(thePlan, input));
  });

  const numbers: readonly (readonly [string, boolean])[] = [
    ['1', true],
    ['1.0', true],
    ['10e-1', true],
    ['0.1e1', true],
    ['1.5', false],
    ['-0', true],
    ['9007199254740991', true],
    ['9007199254740992', false],
    ['9007199254740991.00000', true],
    ['9007199254740991.5', false],
    ['90071992547409910e-1', true],
    ['1e15', true],
    ['1e16', false],
    ['1e400', false],
    ['1e-400', false],
    ['0e999999999999', true],
    ['1e999999999999', false],
    ['0.000000000000000000001e21', true],
    ['"1"', false],
  ];
  test.each(numbers)('the number %s is an integer: %s', async (text, isInteger) => {
    const facts = plan([
      prompt({
        rules: [
          rule(
            'reads',
            {
              kind: 'known',
              fact: {
                kind: 'fact',
                fact: thePlan.facts.findIndex((each) => each.path.join('.') === 'prompt.complexity'),
              },
            },
            redact('mask', 'email'),
          ),
        ],
      }),
    ]);
    const { decide: ask } = policyHost(policyWasm(await opaKernel(), facts));
    expect(
      ask(ENCODER.encode(JSON.stringify(promptInput()).replace('"complexity":100', `"complexity":${text}`))).failed,
    ).toEqual(isInteger ? [] : ['prompt.complexity']);
  });
});

test('100,000 evaluations in npm-opa-wasm do not grow the memory', () => {
  const host = policyHost(wasm);
  const inputs = [promptInput(), promptInput({ caller: { verified: true, groups: ['a', 'b'] } }), { event: 'none' }];
  for (let at = 0; at < 100; at++) host.decide(inputs[at % 3]);
  const before = host.policy.mem.buffer.byteLength;
  for (let at = 0; at < 100_000; at++) host.decide(inputs[at % 3]);
  expect(host.policy.mem.buffer.byteLength).toBe(before);
});
