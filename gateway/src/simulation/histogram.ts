const leastMs = 0.001;
const growth = Math.log(1.01);
/** An hour; what is longer counts as that. */
const buckets = Math.ceil(Math.log(3_600_000 / leastMs) / growth) + 1;

/**
 * Durations to within 1 % in at most 9 KB: bucket i holds from 1 us x 1.01^(i-1) up to 1 us x 1.01^i. Room is made as far
 * up as it is needed. Mean and maximum are exact.
 */
export class DurationHistogram {
  #counts = new Uint32Array(0);
  count = 0;
  sumMs = 0;
  maxMs = 0;

  record(ms: number): void {
    const index = ms <= leastMs ? 0 : Math.min(buckets - 1, Math.ceil(Math.log(ms / leastMs) / growth));
    this.#grow(index + 1);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.count += 1;
    this.sumMs += ms;
    this.maxMs = Math.max(this.maxMs, ms);
  }

  merge(other: DurationHistogram): void {
    this.#grow(other.#counts.length);
    other.#counts.forEach((count, index) => (this.#counts[index] = (this.#counts[index] ?? 0) + count));
    this.count += other.count;
    this.sumMs += other.sumMs;
    this.maxMs = Math.max(this.maxMs, other.maxMs);
  }

  /** The smallest duration that a share of `percent` does not exceed; undefined without any. */
  percentile(percent: number): number | undefined {
    if (this.count === 0) return undefined;
    const rank = Math.max(1, Math.ceil((percent / 100) * this.count));
    let seen = 0;
    for (const [index, count] of this.#counts.entries()) {
      seen += count;
      // The middle of a bucket is at most half a percent off.
      if (seen >= rank) return index === 0 ? leastMs : Math.min(this.maxMs, leastMs * Math.exp((index - 0.5) * growth));
    }
    return this.maxMs;
  }

  get meanMs(): number | undefined {
    return this.count === 0 ? undefined : this.sumMs / this.count;
  }

  #grow(length: number): void {
    if (length <= this.#counts.length) return;
    const grown = new Uint32Array(Math.min(buckets, Math.max(length, 2 * this.#counts.length)));
    grown.set(this.#counts);
    this.#counts = grown;
  }
}
