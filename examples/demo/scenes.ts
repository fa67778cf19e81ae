/** The story, in order. */
import type { Scene } from './scene.ts';
import { autoRoute } from './scenes/auto-route.ts';
import { cardInPrompt } from './scenes/card-in-prompt.ts';
import { cardInStream } from './scenes/card-in-stream.ts';
import { liveEdit } from './scenes/live-edit.ts';
import { noModelLeft } from './scenes/no-model-left.ts';
import { salaryFile } from './scenes/salary-file.ts';
import { trialBudget } from './scenes/trial-budget.ts';

export const scenes: readonly Scene[] = [
  cardInPrompt,
  cardInStream,
  autoRoute,
  noModelLeft,
  salaryFile,
  trialBudget,
  liveEdit,
];
