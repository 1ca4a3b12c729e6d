import { randomInt } from 'node:crypto';
import { randomRequest } from '../workload/request.js';
import type { BenchModel } from '../workload/models.js';
import { GrpcClient, inferPath } from './grpc-client.js';

export interface RandomLoadOptions {
  readonly address: string;
  readonly model: BenchModel;
  /** The names it is served under; each request picks one at random. */
  readonly servedAs: readonly string[];
  readonly concurrency: number;
  readonly durationMs: number;
  /** Goes on, up to a minute longer, until so many were answered. */
  readonly atLeast?: number;
}

const mostExtraMs = 60_000;

/** A closed loop in which every request has a model and inputs of its own. Resolves with the replies; the first error ends it. */
export async function runRandomLoad(options: RandomLoadOptions): Promise<number> {
  const client = await GrpcClient.connect(options.address);
  const endMs = performance.now() + options.durationMs;
  let replies = 0;
  const wanted = (): boolean => {
    const nowMs = performance.now();
    return nowMs < endMs || (replies < (options.atLeast ?? 0) && nowMs < endMs + mostExtraMs);
  };
  const lane = async (): Promise<void> => {
    while (wanted()) {
      const servedAs = options.servedAs[randomInt(options.servedAs.length)] ?? options.model.name;
      const outcome = await client.call(inferPath, randomRequest(options.model, { servedAs }));
      if (!outcome.ok) throw new Error(`${servedAs} at ${options.address}: ${outcome.status}`);
      replies++;
    }
  };
  try {
    await Promise.all(Array.from({ length: options.concurrency }, lane));
    return replies;
  } finally {
    client.close();
  }
}
