/**
 * Whether a JSON value satisfies one of our JSON Schemas: the words that compiler/schema/json-schema.ts has, as the
 * specification reads them (2020-12, Validation §6).
 */
import type { JsonSchema, JsonType } from '../../compiler/schema/json-schema.ts';

export function validates(schema: JsonSchema, value: unknown): boolean {
  return (Object.keys(schema) as (keyof JsonSchema)[]).every((word) => satisfies(word, schema, value));
}

function satisfies(word: keyof JsonSchema, schema: JsonSchema, value: unknown): boolean {
  switch (word) {
    case '$schema':
    case 'title':
    case 'description':
    case 'then':
      return true;
    case 'type':
      return [schema.type!].flat().some((type: JsonType) => hasType(type, value));
    case 'const':
      return value === schema.const;
    case 'enum':
      return schema.enum!.some((each) => each === value);
    case 'properties':
      return (
        !isObject(value) ||
        Object.entries(schema.properties!).every(
          ([name, each]) => !Object.hasOwn(value, name) || validates(each, value[name]),
        )
      );
    case 'required':
      return !isObject(value) || schema.required!.every((name) => Object.hasOwn(value, name));
    case 'additionalProperties':
      return (
        !isObject(value) ||
        schema.additionalProperties === true ||
        Object.keys(value).every((name) => Object.hasOwn(schema.properties ?? {}, name))
      );
    case 'items':
      return !Array.isArray(value) || value.every((item) => validates(schema.items!, item));
    case 'pattern':
      return typeof value !== 'string' || new RegExp(schema.pattern!, 'u').test(value);
    case 'maxItems':
      return !Array.isArray(value) || value.length <= schema.maxItems!;
    case 'minItems':
      return !Array.isArray(value) || value.length >= schema.minItems!;
    case 'minimum':
      return typeof value !== 'number' || value >= schema.minimum!;
    case 'maximum':
      return typeof value !== 'number' || value <= schema.maximum!;
    case 'multipleOf':
      return typeof value !== 'number' || isMultiple(value, schema.multipleOf!);
    case 'anyOf':
      return schema.anyOf!.some((each) => validates(each, value));
    case 'allOf':
      return schema.allOf!.every((each) => validates(each, value));
    case 'if':
      return !validates(schema.if!, value) || validates(schema.then ?? {}, value);
  }
}

function hasType(type: JsonType, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return Number.isInteger(value);
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type;
  }
}

/** For a step that is a power of ten below one: the decimal has no digits beyond it. */
function isMultiple(value: number, step: number): boolean {
  return Number(value.toFixed(Math.round(-Math.log10(step)))) === value;
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
