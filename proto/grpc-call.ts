// Our services on @grpc/grpc-js: method definitions made from the generated descriptors, and one typed unary call. It
// knows no server and opens no channel.
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type {
  DescMessage,
  DescMethod,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from '@bufbuild/protobuf';
import type { Client, MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';

/** How grpc-js carries one method: the path, and protobuf both ways. */
export function grpcMethod<I extends DescMessage, O extends DescMessage>(
  method: DescMethod & { readonly input: I; readonly output: O },
): MethodDefinition<MessageShape<I>, MessageShape<O>> {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
    responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
    requestSerialize: (message) => asBuffer(toBinary(method.input, message)),
    requestDeserialize: (bytes) => fromBinary(method.input, bytes),
    responseSerialize: (message) => asBuffer(toBinary(method.output, message)),
    responseDeserialize: (bytes) => fromBinary(method.output, bytes),
  };
}

/** All methods of a service, by their local names (`deltaAggregatedResources`), for `Server.addService`. */
export function grpcService(service: DescService): ServiceDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.localName, grpcMethod(method)]));
}

/** One unary call. Rejects with grpc-js's ServiceError. */
export function unaryCall<I extends DescMessage, O extends DescMessage>(
  client: Client,
  method: DescMethodUnary<I, O>,
  request: MessageInitShape<I>,
  options: { readonly timeoutMs: number },
): Promise<MessageShape<O>> {
  const { path, requestSerialize, responseDeserialize } = grpcMethod<I, O>(method);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      create(method.input, request),
      { deadline: Date.now() + options.timeoutMs },
      (error, reply) => {
        if (error !== null || reply === undefined) reject(error ?? new Error('the call ended without an answer'));
        else resolve(reply);
      },
    );
  });
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
