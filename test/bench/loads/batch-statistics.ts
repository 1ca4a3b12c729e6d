import { inferenceService } from '@headrace/proto';
import { GrpcClient } from './grpc-client.js';

/** Runs and their time by rows, as the server counted them. */
export type BatchTimes = ReadonlyMap<number, { readonly runs: number; readonly ns: number }>;

/** ModelStatistics' batch_stats of all versions, summed. */
export async function batchTimes(address: string, model: string): Promise<BatchTimes> {
  const { path, request, response } = inferenceService.methods.ModelStatistics;
  const client = await GrpcClient.connect(address);
  try {
    const outcome = await client.call(path, request.encode({ name: model, version: '' }));
    if (!outcome.ok) throw new Error(`ModelStatistics at ${address}: ${outcome.status}`);
    const times = new Map<number, { runs: number; ns: number }>();
    for (const { batch_size: rows, compute_infer: infer } of response
      .decode(outcome.message)
      .model_stats.flatMap((each) => each.batch_stats)) {
      const known = times.get(Number(rows)) ?? { runs: 0, ns: 0 };
      times.set(Number(rows), { runs: known.runs + Number(infer?.count ?? 0), ns: known.ns + Number(infer?.ns ?? 0) });
    }
    return times;
  } finally {
    client.close();
  }
}

export interface UsualBatch {
  readonly rows: number;
  /** Mean time of a run of so many rows. */
  readonly runMs: number;
}

/** The batch size that carried most rows between two readings, e.g. 32 where 100 runs of 32 and 500 of 1 were added. */
export function usualBatch(before: BatchTimes, after: BatchTimes): UsualBatch {
  let best: UsualBatch & { carried: number } = { rows: 0, runMs: Number.NaN, carried: 0 };
  for (const [rows, { runs, ns }] of after) {
    const added = runs - (before.get(rows)?.runs ?? 0);
    const carried = rows * added;
    if (carried > best.carried) best = { rows, runMs: (ns - (before.get(rows)?.ns ?? 0)) / added / 1e6, carried };
  }
  return { rows: best.rows, runMs: best.runMs };
}
