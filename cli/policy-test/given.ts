/**
 * Values that a test gives, as they stand on the wire: claims of a token by their claim's name, facts of the decision's
 * input by their attribute's.
 */
import type { GivenAttribute, Program, ScalarValue, Value } from '../../dsl/program.ts';

export type WireValue = string | number | boolean | readonly WireValue[];

/** The claims of a caller with these attributes. */
export function claimsOf(attributes: readonly GivenAttribute[], program: Program): { [claim: string]: WireValue } {
  return Object.fromEntries(
    attributes.map(({ name, value }) => {
      const source = program.caller.attributes.find((attribute) => attribute.name === name)?.source;
      const wire = wireValue(value);
      const joined = source?.splitBy != null && Array.isArray(wire) ? wire.join(source.splitBy) : wire;
      return [source?.name ?? name, joined];
    }),
  );
}

/** The attributes as the decision's input holds them. */
export function factValues(attributes: readonly GivenAttribute[]): { [name: string]: WireValue } {
  return Object.fromEntries(attributes.map(({ name, value }) => [name, wireValue(value)]));
}

function wireValue(value: Value): WireValue {
  return value.kind === 'set' ? value.elements.map(scalar) : scalar(value);
}

/** Money in its currency, durations in seconds: the units of the input document. */
function scalar(value: ScalarValue): string | number | boolean {
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
    case 'date':
      return value.iso;
  }
}
