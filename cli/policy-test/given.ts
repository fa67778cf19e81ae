/**
 * Values that a test gives, as they stand on the wire: claims of a token by their claim's name, facts of the decision's
 * input by their attribute's.
 */
import type { GivenAttribute, Program, ScalarValue, Value } from '../../dsl/program.ts';
import { instantIn, TimeZone } from '../../dsl/time-zone.ts';

export type WireValue = string | number | boolean | readonly WireValue[];

/** The claims of a caller with these attributes. */
export function claimsOf(attributes: readonly GivenAttribute[], program: Program): { [claim: string]: WireValue } {
  const zone = new TimeZone(program.policy.timeZone);
  return Object.fromEntries(
    attributes.map(({ name, value }) => {
      const source = program.caller.attributes.find((attribute) => attribute.name === name)?.source;
      const wire = wireValue(value, zone);
      const joined = source?.splitBy != null && Array.isArray(wire) ? wire.join(source.splitBy) : wire;
      return [source?.name ?? name, joined];
    }),
  );
}

/** The attributes as the decision's input holds them. */
export function factValues(attributes: readonly GivenAttribute[], program: Program): { [name: string]: WireValue } {
  const zone = new TimeZone(program.policy.timeZone);
  return Object.fromEntries(attributes.map(({ name, value }) => [name, wireValue(value, zone)]));
}

function wireValue(value: Value, zone: TimeZone): WireValue {
  return value.kind === 'set' ? value.elements.map((element) => scalar(element, zone)) : scalar(value, zone);
}

/** Money in its currency, durations and times in seconds: the units of the input document. */
function scalar(value: ScalarValue, zone: TimeZone): string | number | boolean {
  switch (value.kind) {
    case 'bool':
    case 'int':
    case 'text':
    case 'tokens':
    case 'bytes':
      return value.value;
    case 'decimal':
      return value.digits / 10 ** value.scale;
    case 'money':
      return value.micros / 1_000_000;
    case 'duration':
      return value.milliseconds / 1_000;
    case 'member':
      return value.name;
    case 'time':
      return instantIn(zone, value.iso) / 1_000;
    case 'date':
      return value.iso;
  }
}
