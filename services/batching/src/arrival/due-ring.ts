/** Numbers for due times that are ahead: at most `horizonMs`, which is three quarters of them. */
const buckets = 128;

/** Width of a bucket for due times at most `horizonMs` ahead, ms. */
export function stepFor(horizonMs: number): number {
  return horizonMs / (buckets * 0.75);
}

/**
 * Rows that wait, by due time, so that how many are due by then is a sum over some numbers instead of a walk through the
 * queue. What is past its due time is one number more:
 *
 *     overdue | 0 | 3 | 7 | 1 | ...
 *             first
 */
export class DueRing {
  readonly #rows = new Float64Array(buckets);
  #overdue = 0;
  #total = 0;
  /** Buckets before this one are in `overdue`. */
  #first = 0;

  get overdue(): number {
    return this.#overdue;
  }

  get total(): number {
    return this.#total;
  }

  /** After fold, for a bucket less than `buckets` from the first. Negative rows leave, from the bucket in which they entered. */
  add(bucket: number, rows: number): void {
    this.#total += rows;
    if (bucket < this.#first) this.#overdue += rows;
    else this.#rows[bucket % buckets] = (this.#rows[bucket % buckets] ?? 0) + rows;
  }

  /** Rows due in this bucket or before it. */
  through(bucket: number): number {
    let rows = this.#overdue;
    if (rows === this.#total) return rows;
    const last = Math.min(bucket, this.#first + buckets - 1);
    for (let at = this.#first; at <= last; at++) rows += this.#rows[at % buckets] ?? 0;
    return rows;
  }

  /** What is due before `first` is overdue from now on; a `first` before that of an earlier call changes nothing. */
  fold(first: number): void {
    if (first <= this.#first) return;
    if (this.#overdue < this.#total) {
      const through = Math.min(first, this.#first + buckets);
      for (let bucket = this.#first; bucket < through; bucket++) {
        this.#overdue += this.#rows[bucket % buckets] ?? 0;
        this.#rows[bucket % buckets] = 0;
      }
    }
    this.#first = first;
  }
}
