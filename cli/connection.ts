/**
 * How an installation's control plane is reached: the options that several commands share, and a client for admins. A
 * boundary file: it opens channels.
 */
import { isIP } from 'node:net';
import type { DescMessage, DescMethodUnary, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import grpc from '@grpc/grpc-js';
import { type Owner, ownerUri } from '../control-plane/keys/certificate.ts';
import { readRole } from '../control-plane/keys/key-folder.ts';
import { unaryCall } from '../proto/grpc-call.ts';
import { CommandError, type World } from './command.ts';
import { keysFolder, keysOption, type KeysValues } from './keys-option.ts';

export const adminOptions = { ...keysOption, 'control-plane': { type: 'string' }, admin: { type: 'string' } } as const;

export const adminOptionsHelp = `  --control-plane HOST:PORT  usual: the environment variable WRIT_CONTROL_PLANE, else localhost:8443
  --keys DIR                 made by \`writ keys init\`; usual: the environment variable WRIT_KEYS
  --admin NAME               whose certificate is shown; usual: admin`;

export const CONTROL_PLANE_ADDRESS = 'localhost:8443';
const CALL_MS_MAX = 30_000;
/** The largest bundle, with its message around it. */
export const MESSAGE_BYTES_MAX = 65 * 1024 * 1024;

export interface AdminValues extends KeysValues {
  readonly 'control-plane'?: string | undefined;
  readonly admin?: string | undefined;
}

export function controlPlaneAddress(given: string | undefined, world: World): string {
  const address = given ?? world.env['WRIT_CONTROL_PLANE'] ?? CONTROL_PLANE_ADDRESS;
  hostAndPort(address);
  return address;
}

/** The parts of `HOST:PORT`; an IPv6 address stands in brackets. */
export function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain = '', port] = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s[\]]+)):(\d{1,5})$/.exec(address) ?? [];
  if (port === undefined) throw new CommandError(`\`${address}\` is not an address of the form HOST:PORT`);
  return { host: bracketed ?? plain, port: portNumber(port, 'the port of') };
}

export function portNumber(text: string, what: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new CommandError(`${what} \`${text}\` is not a port: a whole number from 0 to 65535`);
}

/** What mTLS needs of a role's keys. */
export function roleCredentials(
  folder: string,
  role: Owner,
): { readonly ca: Buffer; readonly certificate: Buffer; readonly key: Buffer } {
  const { certificatePem, privateKeyPem, authorityPem } = readRole(folder, role);
  return { ca: Buffer.from(authorityPem), certificate: Buffer.from(certificatePem), key: Buffer.from(privateKeyPem) };
}

export interface AdminClient {
  readonly address: string;
  /** Throws CommandError with what the control plane said. */
  call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
  ): Promise<MessageShape<O>>;
  close(): void;
}

/** A refusal by the control plane. */
export class CallError extends CommandError {
  readonly code: grpc.status;
  constructor(code: grpc.status, message: string, hint: string | null = null) {
    super(message, hint);
    this.code = code;
  }
}

export function openAdmin(values: AdminValues, world: World): AdminClient {
  const role: Owner = { kind: 'admin', name: values.admin ?? 'admin' };
  return openAdminAt(controlPlaneAddress(values['control-plane'], world), keysFolder(values, world), role);
}

export function openAdminAt(address: string, folder: string, role: Owner): AdminClient {
  const { ca, certificate, key } = roleCredentials(folder, role);
  const client = new grpc.Client(address, grpc.credentials.createSsl(ca, key, certificate), {
    'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
    'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
    ...targetName(address),
  });
  return {
    address,
    call: (method, request) =>
      unaryCall(client, method, request, { timeoutMs: CALL_MS_MAX }).catch((error: unknown) => {
        throw explained(error, address, role);
      }),
    close: () => client.close(),
  };
}

/**
 * TLS names no addresses (RFC 6066, section 3): at one, the control plane is asked for by the name that every
 * certificate of its role has. The authority is ours alone, so no other server has it.
 */
function targetName(address: string): { readonly 'grpc.ssl_target_name_override'?: string } {
  return isIP(hostAndPort(address).host) === 0 ? {} : { 'grpc.ssl_target_name_override': 'localhost' };
}

function explained(error: unknown, address: string, role: Owner): unknown {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'number' || !('details' in error))
    return error;
  const { code } = error;
  if (code === grpc.status.UNAVAILABLE)
    return new CallError(
      code,
      `the control plane at \`${address}\` cannot be reached`,
      'is `writ control-plane` running there, with keys of the same authority?',
    );
  if (code === grpc.status.DEADLINE_EXCEEDED)
    return new CallError(code, `the control plane at \`${address}\` did not answer in ${CALL_MS_MAX / 1000} s`);
  if (code === grpc.status.PERMISSION_DENIED || code === grpc.status.UNAUTHENTICATED)
    return new CallError(code, `the control plane does not let \`${ownerUri(role)}\` do this`);
  return new CallError(code, `the control plane refused: ${String(error.details)}`);
}
