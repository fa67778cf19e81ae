/** Packs a message for a `typed_config`, and lengths of time. */
import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import type { Any, Duration } from '@bufbuild/protobuf/wkt';
import { DurationSchema, anyPack } from '@bufbuild/protobuf/wkt';

export function typed<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Any {
  return anyPack(schema, create(schema, init));
}

export function seconds(count: number): Duration {
  return create(DurationSchema, {
    seconds: BigInt(Math.trunc(count)),
    nanos: Math.round((count - Math.trunc(count)) * 1e9),
  });
}
