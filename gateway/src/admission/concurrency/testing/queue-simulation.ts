import { seededRandom } from '@headrace/batching/testing';
import type { AdaptiveLimit } from '../adaptive-limit.js';

/** A server that takes up to maxRows of the queue at once and needs a + k b ms for b of them; some of them side by side. */
export interface SimBackend {
  readonly overheadMs: number;
  readonly perRowMs: number;
  readonly maxRows: number;
  readonly servers: number;
}

export interface SimCase {
  readonly backend: SimBackend;
  /** Arrivals a millisecond, as a share of what the backend can do. */
  readonly load: (nowMs: number) => number;
  /** Multiplies run times. */
  readonly slowdown?: (nowMs: number) => number;
  readonly goalMs: number;
  readonly forMs: number;
  /** Measured from here on. */
  readonly fromMs: number;
  readonly seed?: number;
}

export interface SimResult {
  /** Of those answered, in time. */
  readonly attainment: number;
  /** Answered in time, by what the backend can do in all batches full (at its speed of that time). */
  readonly goodput: number;
  /** Share of the time that servers run. */
  readonly utilisation: number;
  readonly meanLimit: number;
  /** Of the limit: standard deviation by mean. */
  readonly variation: number;
  readonly meanBatch: number;
  readonly limits: readonly { readonly atMs: number; readonly limit: number }[];
}

export function capacityPerMs({ overheadMs, perRowMs, maxRows, servers }: SimBackend): number {
  return (servers * maxRows) / (overheadMs + perRowMs * maxRows);
}

/** Arrivals by chance (Poisson, by seed), first come first served, refused when `limit` are under way. Discrete events. */
export function simulateQueue(limit: AdaptiveLimit, of: SimCase): SimResult {
  const { backend, load, slowdown = () => 1, goalMs, forMs, fromMs } = of;
  const capacity = capacityPerMs(backend);
  const random = seededRandom(of.seed ?? 1);
  const queue: number[] = [];
  const running: { endMs: number; runMs: number; arrivals: number[] }[] = [];
  const limits: { atMs: number; limit: number }[] = [];
  let underWay = 0;
  let nextMs = 0;
  let answered = 0;
  let inTime = 0;
  let possible = 0;
  let busyMs = 0;
  let rows = 0;
  let runs = 0;
  let sampleMs = 0;
  let nowMs = 0;
  const start = (): void => {
    while (queue.length > 0 && running.length < backend.servers) {
      const arrivals = queue.splice(0, backend.maxRows);
      const runMs = (backend.overheadMs + backend.perRowMs * arrivals.length) * slowdown(nowMs) * (0.95 + 0.1 * random());
      running.push({ endMs: nowMs + runMs, runMs, arrivals });
      if (nowMs < fromMs) continue;
      busyMs += runMs;
      rows += arrivals.length;
      runs += 1;
    }
  };
  while (nowMs < forMs) {
    let [first] = running;
    for (const run of running) if (first === undefined || run.endMs < first.endMs) first = run;
    nowMs = Math.min(nextMs, first?.endMs ?? Infinity);
    for (; sampleMs <= nowMs; sampleMs += 20) {
      limits.push({ atMs: sampleMs, limit: limit.limit });
      if (sampleMs >= fromMs) possible += (20 * capacity) / slowdown(sampleMs);
    }
    if (first !== undefined && nowMs === first.endMs) {
      running.splice(running.indexOf(first), 1);
      for (const arrivedMs of first.arrivals) {
        const latencyMs = nowMs - arrivedMs;
        if (nowMs >= fromMs) {
          answered += 1;
          if (latencyMs <= goalMs) inTime += 1;
        }
        limit.ended(nowMs, latencyMs, first.runMs, underWay);
        underWay -= 1;
      }
    } else {
      if (underWay < limit.limit) {
        queue.push(nowMs);
        underWay += 1;
      }
      nextMs = nowMs - Math.log(1 - random()) / (load(nowMs) * capacity);
    }
    start();
  }
  const steady = limits.filter(({ atMs }) => atMs >= fromMs).map((each) => each.limit);
  const meanLimit = steady.reduce((sum, value) => sum + value, 0) / steady.length;
  const variance = steady.reduce((sum, value) => sum + (value - meanLimit) ** 2, 0) / steady.length;
  return {
    attainment: inTime / Math.max(answered, 1),
    goodput: inTime / possible,
    utilisation: busyMs / ((forMs - fromMs) * backend.servers),
    meanLimit,
    variation: Math.sqrt(variance) / meanLimit,
    meanBatch: rows / Math.max(runs, 1),
    limits,
  };
}

/** When the limit came within a fifth of where it ends up, after `stepMs`; ms from then. */
export function adaptedAfterMs({ limits }: SimResult, stepMs: number): number {
  const after = limits.filter(({ atMs }) => atMs >= stepMs);
  const tail = after.slice(-Math.ceil(after.length / 4));
  const end = tail.reduce((sum, { limit }) => sum + limit, 0) / Math.max(tail.length, 1);
  const there = after.find(({ limit }) => Math.abs(limit - end) <= 0.2 * end);
  return (there?.atMs ?? Infinity) - stepMs;
}
