import { admissionCpu } from './admission-cpu.js';
import { crossCheck } from './cross-check.js';
import { echo } from './echo.js';
import { echoClient } from './echo-client.js';
import { footprint } from './footprint.js';
import { isolation } from './isolation.js';
import { loneRanker2m, loneTiny } from './lone.js';
import { neighbour } from './neighbour.js';
import { overload } from './overload.js';
import { priority, priorityPinned } from './priority.js';
import { proxy, proxyTls } from './proxy.js';
import { redisRestart } from './redis-restart.js';
import type { Scenario } from './scenario.js';
import { ranker2m, ranker32m, tiny } from './throughput.js';
import { tiny128, tiny32 } from './tiny-triton.js';

/** In the order they run. */
export const scenarios: readonly Scenario[] = [
  echo,
  echoClient,
  proxy,
  proxyTls,
  ranker32m,
  tiny,
  tiny32,
  tiny128,
  ranker2m,
  loneTiny,
  loneRanker2m,
  priority,
  priorityPinned,
  isolation,
  overload,
  neighbour,
  admissionCpu,
  redisRestart,
  footprint,
  crossCheck,
];
