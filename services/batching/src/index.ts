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
