/** The built-in detectors as the checker wants them. */
import type { DetectorCatalog } from '../dsl/check.ts';
import { detectors } from '../filters/detectors/detectors.ts';

export const detectorCatalog: DetectorCatalog = detectors.map(({ name, title, examples }) => ({
  name,
  title,
  examples: examples.map((example) => example.replace(/[⟦⟧]/g, '')),
}));
