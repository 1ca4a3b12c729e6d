import type { RefusalReason } from '@headrace/runtime';
import { DurationHistogram } from './histogram.js';

/** What happened in a stretch of simulated time. Counts are of events in it, not of requests that began in it. */
export interface SeriesPoint {
  readonly fromMs: number;
  readonly lengthMs: number;
  readonly offered: number;
  readonly answered: number;
  readonly inTime: number;
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>;
  /** Mean rows waiting in the gateway. */
  readonly queuedRows: number;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

interface Bucket {
  offered: number;
  answered: number;
  inTime: number;
  readonly refused: Map<RefusalReason, number>;
  queuedSum: number;
  queuedSamples: number;
  readonly latency: DurationHistogram;
}

const firstLengthMs = 50;

/**
 * A time series of at most `maxPoints` points for a run of any length: when they are all used, neighbours are joined and each
 * covers twice the time.
 */
export class TimeSeries {
  readonly #maxPoints: number;
  #lengthMs = firstLengthMs;
  #buckets: Bucket[] = [];

  constructor(maxPoints: number) {
    this.#maxPoints = maxPoints;
  }

  get lengthMs(): number {
    return this.#lengthMs;
  }

  offered(atMs: number): void {
    this.#bucket(atMs).offered += 1;
  }

  answered(atMs: number, latencyMs: number, inTime: boolean): void {
    const bucket = this.#bucket(atMs);
    bucket.answered += 1;
    if (inTime) bucket.inTime += 1;
    bucket.latency.record(latencyMs);
  }

  refused(atMs: number, reason: RefusalReason): void {
    const { refused } = this.#bucket(atMs);
    refused.set(reason, (refused.get(reason) ?? 0) + 1);
  }

  queue(atMs: number, rows: number): void {
    const bucket = this.#bucket(atMs);
    bucket.queuedSum += rows;
    bucket.queuedSamples += 1;
  }

  /** From the start to `endMs`: the last point may be shorter. */
  points(endMs: number): readonly SeriesPoint[] {
    if (endMs > 0) this.#bucket(endMs);
    const used = this.#buckets.slice(0, Math.ceil(endMs / this.#lengthMs));
    return used.map((bucket, index) => ({
      fromMs: index * this.#lengthMs,
      lengthMs: Math.min(this.#lengthMs, endMs - index * this.#lengthMs),
      offered: bucket.offered,
      answered: bucket.answered,
      inTime: bucket.inTime,
      refused: Object.fromEntries([...bucket.refused].sort(([left], [right]) => (left < right ? -1 : 1))),
      queuedRows: bucket.queuedSamples === 0 ? 0 : bucket.queuedSum / bucket.queuedSamples,
      p50Ms: bucket.latency.percentile(50),
      p99Ms: bucket.latency.percentile(99),
    }));
  }

  #bucket(atMs: number): Bucket {
    let index = Math.floor(atMs / this.#lengthMs);
    while (index >= this.#maxPoints) {
      this.#join();
      index = Math.floor(atMs / this.#lengthMs);
    }
    while (this.#buckets.length <= index) this.#buckets.push(emptyBucket());
    return this.#buckets[index] ?? emptyBucket();
  }

  #join(): void {
    const joined: Bucket[] = [];
    this.#buckets.forEach((bucket, index) => {
      const into = joined[index >> 1];
      if (into === undefined) joined.push(bucket);
      else addTo(into, bucket);
    });
    this.#buckets = joined;
    this.#lengthMs *= 2;
  }
}

function emptyBucket(): Bucket {
  return { offered: 0, answered: 0, inTime: 0, refused: new Map(), queuedSum: 0, queuedSamples: 0, latency: new DurationHistogram() };
}

function addTo(into: Bucket, from: Bucket): void {
  into.offered += from.offered;
  into.answered += from.answered;
  into.inTime += from.inTime;
  for (const [reason, count] of from.refused) into.refused.set(reason, (into.refused.get(reason) ?? 0) + count);
  into.queuedSum += from.queuedSum;
  into.queuedSamples += from.queuedSamples;
  into.latency.merge(from.latency);
}
