/**
 * What a scene of the demo is: a short story that is played against the running parts, and claims about it that are
 * checked, each with its evidence.
 */
import type { Claim } from './claim.ts';
import type { Stage } from './stage.ts';
import type { Tell } from './tell.ts';

export interface Scene {
  /** A few words, for the table. */
  readonly title: string;
  /** One sentence for a policy officer. */
  readonly story: string;
  play(stage: Stage, show: Show): Promise<void>;
}

/** How a scene speaks. */
export interface Show {
  /** Something that happens: who asked what. */
  says(line: string): void;
  /** A claim, true or not. The scene goes on. */
  claim(ok: boolean, claim: string, evidence: string): void;
}

/** Plays the scenes in order. One that breaks is one claim that does not hold; the next is played all the same. */
export async function playScenes(scenes: readonly Scene[], stage: Stage, tell: Tell): Promise<readonly Claim[]> {
  const claims: Claim[] = [];
  for (const [index, scene] of scenes.entries()) {
    const number = index + 1;
    tell.scene(number, scene);
    const add = (ok: boolean, claim: string, evidence: string): void => {
      claims.push({ scene: number, claim, evidence, ok });
      tell.claim(ok, claim, evidence);
    };
    try {
      await scene.play(stage, { says: (line) => tell.says(line), claim: add });
    } catch (error) {
      if (stage.signal.aborted) throw error;
      add(false, 'the scene was played to its end', error instanceof Error ? error.message : String(error));
    }
  }
  return claims;
}
