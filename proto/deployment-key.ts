/**
 * The key of a deployment, of which pseudonyms are made: 32 random bytes that the control plane keeps. A sidecar is given
 * what is derived of it for its own policy, never the key itself. Whoever has such a key can try values: it stands in
 * no bundle, no configuration of Envoy, no log and no metric, and printing one shows `[redacted]`.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';

export const DEPLOYMENT_KEY_BYTES = 32;
/** What is derived is of this use alone. */
const POLICIES = 'writ policy 1';
const MARKS = 'writ mark 1';

export class DeploymentKey {
  readonly #bytes: Uint8Array;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  static random(): DeploymentKey {
    return new DeploymentKey(randomBytes(DEPLOYMENT_KEY_BYTES));
  }

  /** Undefined where the bytes are not as many as a key has. */
  static of(bytes: Uint8Array): DeploymentKey | undefined {
    return bytes.length === DEPLOYMENT_KEY_BYTES ? new DeploymentKey(Uint8Array.from(bytes)) : undefined;
  }

  /** Of its text in a file: 64 hex digits, and a line end. Undefined where it is none. */
  static parse(text: string): DeploymentKey | undefined {
    const digits = text.trim();
    return /^[0-9a-f]{64}$/.test(digits) ? DeploymentKey.of(Buffer.from(digits, 'hex')) : undefined;
  }

  /** For the one file or message that carries it. */
  reveal(): Uint8Array {
    return this.#bytes;
  }

  /** As a file keeps it. */
  revealText(): string {
    return `${Buffer.from(this.#bytes).toString('hex')}\n`;
  }

  /** The key of one policy. */
  forPolicy(policy: string): DeploymentKey {
    return new DeploymentKey(createHmac('sha256', this.#bytes).update(`${POLICIES}\0${policy}`).digest());
  }

  /** By what it is known again: 128 bits, of which nobody can work out the key. */
  mark(): string {
    return createHmac('sha256', this.#bytes).update(MARKS).digest('hex').slice(0, 32);
  }

  equals(other: DeploymentKey | undefined): boolean {
    return other !== undefined && Buffer.compare(this.#bytes, other.#bytes) === 0;
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }

  [inspect.custom](): string {
    return '[redacted]';
  }
}
