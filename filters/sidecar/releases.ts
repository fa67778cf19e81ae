/**
 * From a received release to one in force: both signatures, the history, the filter, Envoy. It keeps the newest
 * sequence before anything of the release is used, and the release itself once it is in force. What is refused changes
 * nothing.
 */
import type { VerificationKey } from '../../compiler/bundle/jws.ts';
import { BundleError } from '../../compiler/bundle/bundle-error.ts';
import { verifyReleasedBundle } from '../../compiler/bundle/release.ts';
import type { SignedBundle } from '../../proto/gen/writ/v1/bundle_pb.ts';
import type { Enforcer } from './enforcer.ts';
import { SidecarError } from './sidecar-error.ts';
import type { Newest, StateFolder } from './state-folder.ts';

export interface Refusal {
  readonly revision: string;
  readonly sequence: number;
  readonly code: string;
  readonly message: string;
}

export interface ReleasesOptions {
  readonly policy: string;
  readonly keys: readonly VerificationKey[];
  readonly state: StateFolder;
  readonly enforcer: Pick<Enforcer, 'apply'>;
  readonly onChange: () => void;
}

export class Releases {
  readonly #options: ReleasesOptions;
  #newest: Newest;
  #applied: Newest | undefined;
  #digest = '';
  #refusal: Refusal | undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(options: ReleasesOptions) {
    this.#options = options;
    this.#newest = options.state.readNewest();
  }

  /** The newest release whose signatures held; sequence 0: none yet. */
  get verified(): Newest {
    return this.#newest;
  }

  /** The release that the door and Envoy were given. */
  get applied(): Newest | undefined {
    return this.#applied;
  }

  /** The last one refused since the start. */
  get refused(): Refusal | undefined {
    return this.#refusal;
  }

  /** As the control plane names it: what need not be sent again. */
  get version(): string | undefined {
    return this.#applied === undefined ? undefined : `${this.#digest}:${this.#applied.sequence}`;
  }

  /**
   * Puts what was kept on disk in force. A damaged or no longer trusted one is refused, and nothing is in force:
   * everything is denied.
   */
  async resume(): Promise<void> {
    let kept: SignedBundle | undefined;
    try {
      kept = this.#options.state.readRelease();
      // It was checked against history when it came; a newer one may have been verified since, and refused by Envoy.
      if (kept !== undefined) await this.#apply(kept, { sequence: 0, revision: '' });
    } catch (error) {
      this.#refuse(kept, error);
    }
  }

  /** Verifies and enforces, one release after another. Throws BundleError and SidecarError. */
  offer(message: SignedBundle): Promise<void> {
    const done = this.#work.then(async () => {
      try {
        await this.#apply(message, this.#newest);
      } catch (error) {
        this.#refuse(message, error);
        throw error;
      }
    });
    this.#work = done.catch(() => undefined);
    return done;
  }

  /** Runs an action when no release is being applied. */
  between(action: () => void): Promise<void> {
    const done = this.#work.then(action);
    this.#work = done.catch(() => undefined);
    return done;
  }

  /** Envoy refused what it was given outside of an `offer`. */
  refusedByEnvoy(message: string): void {
    this.#refusal = {
      revision: this.#applied?.revision ?? '',
      sequence: this.#applied?.sequence ?? 0,
      code: 'envoy_nack',
      message,
    };
    this.#options.onChange();
  }

  async #apply(message: SignedBundle, newest: Newest): Promise<void> {
    const { keys, policy, state, enforcer, onChange } = this.#options;
    const verified = verifyReleasedBundle(message, keys, newest);
    const { release } = verified;
    if (release.name !== policy)
      throw new SidecarError('options', `this is a release of \`${release.name}\`, this sidecar serves \`${policy}\``);
    if (release.sequence > this.#newest.sequence) {
      this.#newest = { sequence: release.sequence, revision: release.revision };
      state.keepNewest(this.#newest);
    }
    if (this.#applied?.sequence === release.sequence && this.#digest === release.digest) return;
    await enforcer.apply(verified);
    this.#applied = { sequence: release.sequence, revision: release.revision };
    this.#digest = release.digest;
    this.#refusal = undefined;
    state.keepRelease(message);
    onChange();
  }

  #refuse(message: SignedBundle | undefined, error: unknown): void {
    const code = error instanceof BundleError || error instanceof SidecarError ? error.code : 'unexpected';
    // An unexpected error may quote content.
    const text = code === 'unexpected' || !(error instanceof Error) ? 'the release cannot be used' : error.message;
    this.#refusal = {
      revision: message?.revision ?? '',
      sequence: Number(message?.sequence ?? 0n),
      code: code === 'envoy_refused' ? 'envoy_nack' : code,
      message: text,
    };
    this.#options.onChange();
  }
}
