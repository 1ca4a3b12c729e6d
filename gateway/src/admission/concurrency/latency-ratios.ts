const perOctave = 8;
const octaves = 12;
const buckets = perOctave * octaves;
/** The middle of the range stands for 1. */
const one = buckets / 2;

/**
 * Counts of latency / goal, in steps of 9 % from 1/64 to 64: 96 numbers, whatever comes. The goal may move between two samples.
 */
export class LatencyRatios {
  readonly #counts = new Float64Array(buckets);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** Infinity counts as the largest; what is no ratio (NaN, negative) does not count. */
  add(ratio: number): void {
    if (!(ratio >= 0)) return;
    const at = ratio > 0 ? Math.floor(Math.log2(ratio) * perOctave) + one : 0;
    const bucket = Math.min(Math.max(at, 0), buckets - 1);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#total += 1;
  }

  /** The ratio below which `share` (0..1) of the samples are, interpolated within a step; 0 without samples. */
  quantile(share: number): number {
    let left = share * this.#total;
    for (let bucket = 0; bucket < buckets; bucket++) {
      const count = this.#counts[bucket] ?? 0;
      if (count > 0 && left <= count) return 2 ** ((bucket - one + left / count) / perOctave);
      left -= count;
    }
    return this.#total > 0 ? 2 ** (octaves / 2) : 0;
  }

  /** Keeps this share of all counts. */
  decay(keep: number): void {
    this.#total = 0;
    for (let bucket = 0; bucket < buckets; bucket++) {
      const count = (this.#counts[bucket] ?? 0) * keep;
      this.#counts[bucket] = count;
      this.#total += count;
    }
  }
}
