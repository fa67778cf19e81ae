/**
 * The sidecar's one connection to the control plane, over mTLS: releases, leases and reports share it. A boundary file:
 * it opens a channel.
 */
import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';
import grpc from '@grpc/grpc-js';

export interface ControlPlaneAddress {
  /** `host:port`. */
  readonly address: string;
  /** PEM. */
  readonly ca: Buffer;
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** The name in the control plane's certificate where it is not that of the address. */
  readonly serverName?: string;
}

/** The largest bundle (64 MiB), and what a message has beside it. */
const RELEASE_MESSAGE_BYTES_MAX = 65 * 1024 * 1024;
/**
 * A usual release is in flight at once. HTTP/2's own 64 KiB would have the control plane wait for each node several
 * times a release, which is most of what a release costs with a thousand nodes.
 */
const WINDOW_BYTES = 1024 * 1024;

/** A name that the control plane's certificate has whatever its address is (cli/commands/keys.ts). */
const NAME_AT_AN_ADDRESS = 'localhost';

export function openChannel({ address, ca, certificate, key, serverName }: ControlPlaneAddress): grpc.Client {
  const hostAsWritten = address.slice(0, address.lastIndexOf(':'));
  const host = hostAsWritten.startsWith('[') ? hostAsWritten.slice(1, -1) : hostAsWritten;
  // TLS asks for a server by name, not by address (RFC 6066, section 3). The certificate must be the address's all the
  // same.
  const isAddress = serverName === undefined && isIP(host) !== 0;
  const askedFor = isAddress ? NAME_AT_AN_ADDRESS : serverName;
  const verification = isAddress
    ? { checkServerIdentity: (_name: string, peer: PeerCertificate) => checkServerIdentity(host, peer) }
    : {};
  return new grpc.Client(address, grpc.credentials.createSsl(ca, key, certificate, verification), {
    'grpc.max_receive_message_length': RELEASE_MESSAGE_BYTES_MAX,
    'grpc-node.flow_control_window': WINDOW_BYTES,
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.initial_reconnect_backoff_ms': 200,
    'grpc.max_reconnect_backoff_ms': 10_000,
    ...(askedFor === undefined ? {} : { 'grpc.ssl_target_name_override': askedFor }),
  });
}
