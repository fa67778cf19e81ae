// Who is at the other end of a call: the role in the certificate that TLS verified, and nothing that the caller says.
import { X509Certificate } from 'node:crypto';
import { roleOfUri } from '../keys/certificate.ts';
import type { Role } from '../keys/certificate.ts';

/** Of a grpc-js server call, what this needs. */
export interface AuthenticatedCall {
  getAuthContext(): { readonly sslPeerCertificate?: { readonly raw: Buffer } } | null;
}

/** The role of the caller; undefined when its certificate names none of ours, or more than one. */
export function roleOfCall(call: AuthenticatedCall): Role | undefined {
  const raw = call.getAuthContext()?.sslPeerCertificate?.raw;
  if (raw === undefined) return undefined;
  const names = new X509Certificate(raw).subjectAltName?.split(', ') ?? [];
  const uris = names.filter((name) => name.startsWith('URI:'));
  const [uri] = uris;
  return uri === undefined || uris.length > 1 ? undefined : roleOfUri(uri.slice('URI:'.length));
}
