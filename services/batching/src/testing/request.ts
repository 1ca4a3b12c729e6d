import type { BatchLimits, BatchRequest } from '../types.js';

export interface SimRequest extends BatchRequest {
  readonly name: string;
}

/** A request as most tests want it: one row, mergeable, middle band, no deadline; what matters is overridden. */
export function makeRequest(overrides: Partial<SimRequest> = {}): SimRequest {
  return {
    name: 'request',
    lane: 'lane',
    shapeClass: 'model',
    rows: 1,
    band: 2,
    arrivedMs: 0,
    deadlineMs: Infinity,
    mergeable: true,
    bypass: false,
    ...overrides,
  };
}

export function makeLimits(overrides: Partial<BatchLimits> = {}): BatchLimits {
  return { maxBatchRows: 32, maxQueuedRows: 4096, maxLanes: 64, agingMs: 1_000, bypassMaxShare: 0.2, ...overrides };
}
