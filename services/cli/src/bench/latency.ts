import { build } from 'hdr-histogram-js';

export const percentiles = [50, 90, 99, 99.9] as const;

export interface LatencySummary {
  readonly count: number;
  readonly meanMs: number;
  readonly maxMs: number;
  /** By percentile; undefined where there are too few values to speak of it: p99.9 needs 1000. */
  readonly byPercentile: ReadonlyMap<number, number | undefined>;
}

/** Latencies to three digits in constant memory (HdrHistogram), from 1 us to an hour. */
export class LatencyRecorder {
  readonly #histogram = build({
    bitBucketSize: 'packed',
    numberOfSignificantValueDigits: 3,
    lowestDiscernibleValue: 1,
    highestTrackableValue: 3_600_000_000,
  });
  #sumMs = 0;
  #maxMs = 0;

  record(ms: number): void {
    this.#histogram.recordValue(Math.min(3_600_000_000, Math.max(1, Math.round(ms * 1000))));
    this.#sumMs += ms;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  summary(): LatencySummary {
    const { count } = this;
    return {
      count,
      meanMs: count === 0 ? 0 : this.#sumMs / count,
      maxMs: this.#maxMs,
      byPercentile: new Map(
        percentiles.map((p) => [p, count * (100 - p) >= 99.9999 ? this.#histogram.getValueAtPercentile(p) / 1000 : undefined]),
      ),
    };
  }
}
