/** The answers of the external-processing protocol. Builds messages, decides nothing. */
import { create } from '@bufbuild/protobuf';
import { HeaderValueOption_HeaderAppendAction } from '../../proto/gen/envoy/config/core/v3/base_pb.ts';
import type {
  HeaderMutation,
  ProcessingResponse,
} from '../../proto/gen/envoy/service/ext_proc/v3/external_processor_pb.ts';
import {
  HeaderMutationSchema,
  ProcessingResponseSchema,
} from '../../proto/gen/envoy/service/ext_proc/v3/external_processor_pb.ts';
import type { StatusCode } from '../../proto/gen/envoy/type/v3/http_status_pb.ts';
import type { Header, HeaderEdits } from './session-port.ts';

/** Envoy's limit for one chunk in FULL_DUPLEX_STREAMED. */
const CHUNK_BYTES_MAX = 64 * 1024;
const NOTHING = new Uint8Array();

export type Direction = 'request' | 'response';

export function headersAnswer(direction: Direction, edits: HeaderEdits, reroute = false): ProcessingResponse {
  const value = { response: { headerMutation: mutation(edits), clearRouteCache: reroute } };
  return create(ProcessingResponseSchema, {
    response: direction === 'request' ? { case: 'requestHeaders', value } : { case: 'responseHeaders', value },
  });
}

/** The answer to a buffered body; `body` undefined leaves it as it came. */
export function bufferedBodyAnswer(
  edits: HeaderEdits,
  body: Uint8Array | undefined,
  reroute: boolean,
): ProcessingResponse {
  return create(ProcessingResponseSchema, {
    response: {
      case: 'requestBody',
      value: {
        response: {
          headerMutation: mutation(edits),
          clearRouteCache: reroute,
          ...(body === undefined ? {} : { bodyMutation: { mutation: { case: 'body', value: body } } }),
        },
      },
    },
  });
}

/** The chunks of a streamed reply, at least one if it ends here. */
export function streamedBodyAnswers(body: Uint8Array, end: boolean): ProcessingResponse[] {
  const answers: ProcessingResponse[] = [];
  for (let at = 0; at < body.length || (end && at === 0); at += CHUNK_BYTES_MAX) {
    const chunk = body.length === 0 ? NOTHING : body.subarray(at, at + CHUNK_BYTES_MAX);
    const isLast = at + CHUNK_BYTES_MAX >= body.length;
    answers.push(
      create(ProcessingResponseSchema, {
        response: {
          case: 'responseBody',
          value: {
            response: {
              bodyMutation: {
                mutation: { case: 'streamedResponse', value: { body: chunk, endOfStream: end && isLast } },
              },
            },
          },
        },
      }),
    );
  }
  return answers;
}

export function trailersAnswer(direction: Direction, edits: HeaderEdits): ProcessingResponse {
  const value = { headerMutation: mutation(edits) };
  return create(ProcessingResponseSchema, {
    response: direction === 'request' ? { case: 'requestTrailers', value } : { case: 'responseTrailers', value },
  });
}

/** Answers the client in the upstream's place. Envoy sets the content-length. */
export function immediateAnswer(reply: {
  readonly status: number;
  readonly headers: readonly Header[];
  readonly body: Uint8Array;
}): ProcessingResponse {
  return create(ProcessingResponseSchema, {
    response: {
      case: 'immediateResponse',
      value: {
        // proto3 enums are open: Envoy takes every number from 200 to 599.
        status: { code: reply.status as StatusCode },
        headers: mutation({ set: reply.headers, remove: [] }),
        body: reply.body,
        details: 'writ',
      },
    },
  });
}

function mutation({ set, remove }: HeaderEdits): HeaderMutation {
  return create(HeaderMutationSchema, {
    setHeaders: set.map(([key, value]) => ({
      header: { key, rawValue: Buffer.from(value, 'latin1') },
      appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
    })),
    removeHeaders: [...remove],
  });
}
