import type { SimulateResult } from './run.js';

/** For scripts. Nothing in it depends on when or where it was made: the same input gives the same bytes. */
export function simulationJson({ request, runs, ignoredColumns }: SimulateResult): unknown {
  return {
    traces: request.traces,
    seed: request.seed,
    sloMs: request.sloMs < Infinity ? request.sloMs : null,
    maxAttempts: request.maxAttempts,
    ignoredColumns,
    policies: runs.map(({ file, backends, models, report }) => ({ policy: file, backends, models, report })),
  };
}
