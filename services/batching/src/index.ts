export { Batcher } from './batcher.js';
export type { BatcherOptions } from './batcher.js';
export { createCostBook } from './cost/cost-book.js';
export type { CostBookOptions } from './cost/cost-book.js';
export { decide } from './decide/decide.js';
export { remainingMs } from './decide/remaining.js';
export type { ArrivalGap, DecideInput, Decision, LaneSnapshot } from './decide/snapshot.js';
export { asRetry, planFailure } from './retry/retry.js';
export type { FailurePlan } from './retry/retry.js';
export type {
  Batch,
  BatchLimits,
  BatchRequest,
  BatchRunner,
  BatcherPort,
  CostBook,
  CostEstimate,
  LaneKey,
  LaneStats,
  RunReport,
  TargetSnapshot,
} from './types.js';
