import { crossCheck } from './cross-check.js';
import { footprint } from './footprint.js';
import { isolation } from './isolation.js';
import { loneRanker2m, loneTiny } from './lone.js';
import { priority } from './priority.js';
import type { Scenario } from './scenario.js';
import { ranker2m, ranker32m, tiny } from './throughput.js';

/** In the order they run. */
export const scenarios: readonly Scenario[] = [
  ranker32m,
  tiny,
  ranker2m,
  loneTiny,
  loneRanker2m,
  priority,
  isolation,
  footprint,
  crossCheck,
];
