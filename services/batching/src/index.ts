export { RetryLine } from './arrival/retry-line.js';
export type { WaitEstimate } from './arrival/estimate.js';
export type { ServiceOrder } from './arrival/order.js';
export { Batcher } from './batcher.js';
export type { BatcherOptions, Defer } from './batcher.js';
export { createCostBook } from './cost/cost-book.js';
export type { CostBookOptions } from './cost/cost-book.js';
export { decide } from './decide/decide.js';
export { remainingMs } from './decide/remaining.js';
export { RunQueues } from './decide/run-queues.js';
export type { QueuedRun } from './decide/run-queues.js';
export type { ArrivalGap, DecideInput, Decision, LaneSnapshot } from './decide/snapshot.js';
export { IndexedHeap } from './lane/heap.js';
export type { HeapItem } from './lane/heap.js';
export { laneKey, shapeClass } from './merge/lane-key.js';
export { mergeRequests } from './merge/merge-requests.js';
export type { MergeOverrides, RawOf } from './merge/merge-requests.js';
export { rowsOf } from './merge/rows.js';
export type { Rows } from './merge/rows.js';
export { splitResponse } from './merge/split-response.js';
export type { SplitResponse } from './merge/split-response.js';
export { describeMismatch, findBytesMismatch } from './merge/tensor-bytes.js';
export { elementsPerRow, splitTensorRows } from './merge/tensor-rows.js';
export type { SplitRows, TensorRows } from './merge/tensor-rows.js';
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
  Tenant,
} from './types.js';
