// X.509 certificates (RFC 5280) for our own mTLS: one authority, and certificates of the control plane, nodes and
// admins under it. Node reads certificates and cannot make them, so this does. It issues exactly these and is no
// general tool: P-256 keys, ECDSA with SHA-256, names in the subject alternative name.
import {
  X509Certificate,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { bits, boolean, explicit, implicit, integer, octets, oid, sequence, set, time, utf8 } from './der.ts';

/** A certificate with its private key, both PEM. */
export interface Credential {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** Who a certificate of ours speaks for. */
export type Role =
  | { readonly kind: 'node'; readonly name: string }
  | { readonly kind: 'admin'; readonly name: string }
  | {
      readonly kind: 'reviewer';
      readonly name: string;
      /** Whose requests they may answer. */
      readonly groups: readonly string[];
      /** Who they are when they ask themselves: nobody answers their own request. */
      readonly caller: string;
    }
  | { readonly kind: 'control-plane' };

/** Whose certificate it is, whatever else stands in it. */
export type Owner =
  { readonly kind: 'node' | 'admin' | 'reviewer'; readonly name: string } | { readonly kind: 'control-plane' };

/** Names of nodes, admins and reviewers. */
export const ROLE_NAME = /^[a-z0-9][a-z0-9_.-]{0,62}$/;

const DAY = 86_400_000;
export const AUTHORITY_DAYS = 3_650;
export const CERTIFICATE_DAYS = 825;
/** Clocks of the machines differ. */
const BACKDATED_MS = 300_000;

/** Groups of one reviewer, and characters of a group's name or a caller's id. */
export const GROUPS_MAX = 32;
const PART_MAX = 256;

export function ownerUri(owner: Owner): string {
  return owner.kind === 'control-plane' ? 'spiffe://writ/control-plane' : `spiffe://writ/${owner.kind}/${owner.name}`;
}

/**
 * `spiffe://writ/node/<name>`, `spiffe://writ/admin/<name>`, `spiffe://writ/control-plane`, or
 * `spiffe://writ/reviewer/<name>/<caller>/<group>…`.
 */
export function roleUri(role: Role): string {
  return role.kind === 'reviewer'
    ? [ownerUri(role), ...[role.caller, ...role.groups].map(uriPart)].join('/')
    : ownerUri(role);
}

/** Only letters that no reader of certificates takes for its own. */
function uriPart(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((byte) =>
      /[A-Za-z0-9_.-]/.test(String.fromCharCode(byte))
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('');
}

function isPart(text: string): boolean {
  return text.length >= 1 && text.length <= PART_MAX && text.isWellFormed();
}

function reviewerOf(path: string): Role | undefined {
  const [name = '', ...parts] = path.split('/');
  if (!parts.every((part) => /^([A-Za-z0-9_.-]|%[0-9A-F]{2})+$/.test(part))) return undefined;
  try {
    const [caller = '', ...groups] = parts.map(decodeURIComponent);
    const isWhole = isPart(caller) && groups.every(isPart) && groups.length >= 1 && groups.length <= GROUPS_MAX;
    return isWhole && ROLE_NAME.test(name) ? { kind: 'reviewer', name, groups, caller } : undefined;
  } catch {
    // Not UTF-8: none of ours.
    return undefined;
  }
}

const REVIEWER_PREFIX = 'spiffe://writ/reviewer/';

/** The role that a URI of our trust domain names; undefined for any other. */
export function roleOfUri(uri: string): Role | undefined {
  if (uri === 'spiffe://writ/control-plane') return { kind: 'control-plane' };
  if (uri.startsWith(REVIEWER_PREFIX)) return reviewerOf(uri.slice(REVIEWER_PREFIX.length));
  const [, kind, name = ''] = /^spiffe:\/\/writ\/(node|admin)\/(.+)$/.exec(uri) ?? [];
  return (kind === 'node' || kind === 'admin') && ROLE_NAME.test(name) ? { kind, name } : undefined;
}

/** A new authority. `now`: milliseconds since 1970 UTC. */
export function createAuthority(now: number): Credential {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = commonName(`writ authority ${randomBytes(4).toString('hex')}`);
  return credential(keys.privateKey, {
    issuer: name,
    issuerKey: keys.privateKey,
    subject: name,
    subjectKey: keys.publicKey,
    days: AUTHORITY_DAYS,
    now,
    extensions: [
      extension('2.5.29.19', true, sequence(boolean(true), integer(Uint8Array.of(0)))),
      // keyCertSign, cRLSign
      extension('2.5.29.15', true, bits(Uint8Array.of(0b0000_0110), 1)),
    ],
  });
}

/**
 * A certificate under an authority. `hosts`: DNS names and IP addresses at which the control plane is reached; empty
 * for the other roles.
 */
export function issueCertificate(authority: Credential, role: Role, hosts: readonly string[], now: number): Credential {
  if (role.kind !== 'control-plane' && !ROLE_NAME.test(role.name))
    throw new Error("a role's name is 1 to 63 characters of a-z, 0-9, `_`, `.` and `-`");
  if (role.kind === 'reviewer' && roleOfUri(roleUri(role)) === undefined)
    throw new Error(`a reviewer has 1 to ${GROUPS_MAX} groups and a caller's id, of 1 to ${PART_MAX} characters each`);
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const authorityKey = createPrivateKey(authority.privateKeyPem);
  const uses = role.kind === 'control-plane' ? ['1.3.6.1.5.5.7.3.1'] : ['1.3.6.1.5.5.7.3.2'];
  const names = [implicit(6, Buffer.from(roleUri(role), 'ascii')), ...hosts.map(hostName)];
  return credential(keys.privateKey, {
    issuer: subjectOf(authority.certificatePem),
    issuerKey: authorityKey,
    subject: commonName(role.kind === 'control-plane' ? 'writ control plane' : `writ ${role.kind} ${role.name}`),
    subjectKey: keys.publicKey,
    days: CERTIFICATE_DAYS,
    now,
    extensions: [
      extension('2.5.29.19', true, sequence()),
      // digitalSignature
      extension('2.5.29.15', true, bits(Uint8Array.of(0b1000_0000), 7)),
      extension('2.5.29.37', false, sequence(...uses.map(oid))),
      extension('2.5.29.17', false, sequence(...names)),
    ],
  });
}

interface Fields {
  readonly issuer: Uint8Array;
  readonly issuerKey: KeyObject;
  readonly subject: Uint8Array;
  readonly subjectKey: KeyObject;
  readonly days: number;
  readonly now: number;
  readonly extensions: readonly Uint8Array[];
}

/** `Certificate` of RFC 5280, section 4.1. */
function credential(privateKey: KeyObject, fields: Fields): Credential {
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
  const signed = sequence(
    explicit(0, integer(Uint8Array.of(2))),
    integer(randomBytes(16)),
    algorithm,
    fields.issuer,
    sequence(time(fields.now - BACKDATED_MS), time(fields.now + fields.days * DAY)),
    fields.subject,
    spki(fields.subjectKey),
    explicit(
      3,
      sequence(
        ...fields.extensions,
        extension('2.5.29.14', false, octets(keyHash(fields.subjectKey))),
        extension('2.5.29.35', false, sequence(implicit(0, keyHash(createPublicKey(fields.issuerKey))))),
      ),
    ),
  );
  const certificate = sequence(signed, algorithm, bits(sign('sha256', signed, fields.issuerKey)));
  return {
    certificatePem: pem('CERTIFICATE', certificate),
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function extension(id: string, isCritical: boolean, value: Uint8Array): Uint8Array {
  return sequence(oid(id), ...(isCritical ? [boolean(true)] : []), octets(value));
}

function commonName(name: string): Uint8Array {
  return sequence(set(sequence(oid('2.5.4.3'), utf8(name))));
}

function hostName(host: string): Uint8Array {
  if (isIP(host) === 4) return implicit(7, Uint8Array.from(host.split('.').map(Number)));
  if (isIP(host) === 6) return implicit(7, ipv6Bytes(host));
  if (!/^[A-Za-z0-9.-]{1,253}$/.test(host)) throw new Error('a host is a DNS name or an IP address');
  return implicit(2, Buffer.from(host, 'ascii'));
}

function ipv6Bytes(host: string): Uint8Array {
  // The URL parser brings every spelling into hexadecimal groups.
  const [head = '', tail] = new URL(`http://[${host}]/`).hostname.slice(1, -1).split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [left, right] = [groups(head), groups(tail ?? '')];
  const all = [
    ...left,
    ...new Array<number>(tail === undefined ? 0 : 8 - left.length - right.length).fill(0),
    ...right,
  ];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

/** The subject of a certificate of ours: it is made of one common name. */
function subjectOf(certificatePem: string): Uint8Array {
  const name = /(?:^|\n)CN=(.*)$/m.exec(new X509Certificate(certificatePem).subject)?.[1];
  if (name === undefined) throw new Error("the authority's certificate is not one of ours");
  return commonName(name);
}

function spki(key: KeyObject): Uint8Array {
  return key.export({ type: 'spki', format: 'der' });
}

/**
 * Method 1 of RFC 5280, section 4.2.1.2, with the whole SPKI and a cut SHA-256: the identifier only has to be the same
 * in both places.
 */
function keyHash(key: KeyObject): Uint8Array {
  return createHash('sha256').update(spki(key)).digest().subarray(0, 20);
}

function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
