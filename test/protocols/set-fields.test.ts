// `set`: a field of the provider's wire format has the policy's value in what the upstream receives, and what the
// client wrote there does not pass.
import { beforeAll, describe, expect, test } from 'vitest';
import type { Filter } from '../../filters/host/load-filter.ts';
import { protocols } from '../../filters/protocols/protocols.ts';
import { filterOf, run, type Seen } from '../kernel/test-filter.ts';
import { POLICY } from './policy.ts';

let filter: Filter;
beforeAll(async () => {
  filter = await filterOf(`${POLICY}
rule no_training on prompt where model.zone is external set prompt.store to false
rule one_seed on prompt where model.zone is external set prompt.seed to 7 set prompt.temperature to 0.25
rule same_seed on prompt set prompt.seed to 7
rule whose on prompt where model.zone is external set prompt.user to "acme \\"gateway\\" – €"
rule cheap on prompt where text contains "cheaply" set prompt.service_tier to "flex"
rule twice on prompt where text contains "twice" set prompt.seed to 8
`);
});

const chat = (fields: string, content = 'hello', model = 'gpt-4o'): Seen =>
  run(filter, { body: `{${fields}"model":"${model}","messages":[{"role":"user","content":"${content}"}]}` });
const sent = ({ sent: body }: Seen): { readonly [field: string]: unknown } => JSON.parse(body ?? '{}');
const SET = { store: false, seed: 7, temperature: 0.25, user: 'acme "gateway" – €' };

describe('a field that a rule sets', () => {
  test('is added where the client says nothing of it', () => {
    const seen = chat('');
    expect(sent(seen)).toMatchObject({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }], ...SET });
    expect(seen.sentHeaders).toContainEqual(['content-length', String(Buffer.byteLength(seen.sent!))]);
    expect(seen.records[0]?.['set']).toEqual(
      Object.entries(SET)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([field, value]) => ({ field, value })),
    );
  });

  test('stands in the place of what the client wrote, however it is written', () => {
    const written = ' "t\\u0065mperature" : 1.5e0 , "seed":null,"user":\t"EMP-123456 and 4111 1111 1111 1111" ,';
    const seen = chat(written);
    expect(sent(seen)).toMatchObject(SET);
    expect(seen.sent).not.toMatch(/1\.5e0|EMP-123456|4111|PAYMENT_CARD/);
    expect(seen.sent!.match(/mperature/g)).toHaveLength(1);
  });

  test('is not touched where no rule asks for it', () => {
    expect(sent(chat('"user":"me","temperature":1.5,', 'hello', 'gemma-3-270m'))).toMatchObject({
      user: 'me',
      temperature: 1.5,
      seed: 7,
    });
    expect(sent(chat('', 'hello', 'gemma-3-270m'))).not.toHaveProperty('store');
  });

  test('leaves a body as it came where it says so already', () => {
    const body = '{"seed": 7 ,"model":"gemma-3-270m","max_tokens":10,"messages":[{"role":"user","content":"hello"}]}';
    expect(run(filter, { body }).sent).toBe(body);
  });

  test('comes with redactions, a limit and a route in the same body', () => {
    const seen = chat('"user":"EMP-123456",', 'EMP-654321');
    expect(sent(seen)).toMatchObject(SET);
    expect(seen.sent).toMatch(/EMPLOYEE_ID_\d/);
    expect(seen.sent).not.toContain('EMP-');
    expect(sent(chat('', 'hello', 'auto'))).toMatchObject({ model: 'gemma-3-270m', max_tokens: 256, seed: 7 });
  });

  test('with two values is denied', () => {
    const seen = chat('', 'twice');
    expect([seen.status, seen.sent]).toEqual([403, null]);
    expect(seen.got).toContain('rules of the policy set `seed` to two values');
  });

  test('of a protocol that does not have it stays away; a value that it does not take is denied', () => {
    const message = (content: string): Seen =>
      run(filter, {
        path: '/v1/messages',
        body: `{"model":"gpt-4o","max_tokens":9,"messages":[{"role":"user","content":"${content}"}]}`,
      });
    expect(sent(message('hello'))).toMatchObject({ temperature: 0.25 });
    for (const field of ['store', 'seed', 'user']) expect(sent(message('hello'))).not.toHaveProperty(field);
    const denied = message('cheaply');
    expect([denied.status, denied.sent]).toEqual([403, null]);
    expect(denied.got).toContain("`service_tier` to a value that this request's protocol does not take");
    expect(sent(chat('', 'cheaply'))).toMatchObject({ service_tier: 'flex' });
  });

  test('cannot be brought by a client in other letters', () => {
    for (const twin of ['"Seed":1,', '"\\u017feed":1,', '"seed":1,"seed":2,'])
      expect([twin, chat(twin).sent]).toEqual([twin, null]);
  });
});

test('fields that may be set are fields of the request, and none that the gateway itself reads', () => {
  const settable = protocols.flatMap(({ endpoints }) =>
    endpoints.flatMap(({ name, request, settable: fields = {} }) =>
      Object.entries(fields).map(([field, place]) => ({ name, field, place, own: request?.object?.fields?.[field] })),
    ),
  );
  expect(settable.length).toBeGreaterThan(0);
  for (const { name, field, place, own } of settable) {
    expect([name, field, own === undefined]).toEqual([name, field, false]);
    const read = [own?.string, own?.number, own?.bool, own?.object?.as, own?.array?.as].filter(
      (each) => each !== undefined,
    );
    expect([name, field, read.filter((each) => !['plain', 'text', 'enum'].includes(each))]).toEqual([name, field, []]);
    expect([name, field, [place.string, place.number, place.bool].some((each) => each !== undefined)]).toEqual([
      name,
      field,
      true,
    ]);
  }
});
