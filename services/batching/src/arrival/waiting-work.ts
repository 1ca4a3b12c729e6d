import type { BatchRequest } from '../types.js';

type Place = Pick<BatchRequest, 'rows' | 'band' | 'bypass' | 'arrivedMs' | 'deadlineMs' | 'softDueMs'>;

/** Who is served before a request; a port, so that an order that looks at tenants too can answer it better. */
export interface RowsAhead {
  /** Rows that wait now and would be served before such a request. */
  rowsAhead(request: Place, nowMs: number): number;
}

const bands = 16;
/** Buckets of due time per band; due times are at most `horizonMs` ahead, which is three quarters of them. */
const buckets = 128;

/**
 * How many rows wait, by band and due time, for the question how much is before a request: a sum over some 64 numbers
 * instead of a walk through the queue.
 *
 *     band 1   overdue | 0 | 3 | 7 | 1 | ...      counted: bands above wholly,
 *     band 2   overdue | 2 | 2 | 0 | 4 | ...               its own up to its due time (earliest deadline first),
 *     band 3   overdue | ...                               and of the next band what is overdue: aging has moved it up
 *
 * A request is counted where it entered: aging by more than one band is not followed.
 */
export class WaitingWork implements RowsAhead {
  readonly #stepMs: number;
  readonly #horizonMs: number;
  readonly #rows = new Float64Array(bands * buckets);
  readonly #overdue = new Float64Array(bands);
  readonly #total = new Float64Array(bands);
  /** Buckets before this one are in `overdue`. */
  #first = 0;

  /** Due times later than `horizonMs` after arrival count as that (the lanes' own order does so by agingMs). */
  constructor(horizonMs: number) {
    this.#horizonMs = Number.isFinite(horizonMs) ? Math.max(horizonMs, 1) : 60_000;
    this.#stepMs = this.#horizonMs / (buckets * 0.75);
  }

  entered(request: Place, nowMs: number): void {
    this.#fold(nowMs);
    this.#add(request, request.rows);
  }

  /** Of a request that entered, exactly once. */
  left(request: Place): void {
    this.#add(request, -request.rows);
  }

  rowsAhead(request: Place, nowMs: number): number {
    this.#fold(nowMs);
    const band = bandOf(request);
    let ahead = (this.#overdue[band] ?? 0) + (this.#overdue[band + 1] ?? 0);
    for (let above = 0; above < band; above++) ahead += this.#total[above] ?? 0;
    const last = Math.min(this.#bucketOf(request), this.#first + buckets - 1);
    for (let bucket = this.#first; bucket <= last; bucket++) ahead += this.#rows[band * buckets + (bucket % buckets)] ?? 0;
    return ahead;
  }

  #add(request: Place, rows: number): void {
    const band = bandOf(request);
    const bucket = this.#bucketOf(request);
    this.#total[band] = (this.#total[band] ?? 0) + rows;
    if (bucket < this.#first) this.#overdue[band] = (this.#overdue[band] ?? 0) + rows;
    else this.#rows[band * buckets + (bucket % buckets)] = (this.#rows[band * buckets + (bucket % buckets)] ?? 0) + rows;
  }

  #bucketOf({ arrivedMs, deadlineMs, softDueMs }: Place): number {
    const dueMs = Math.min(deadlineMs, softDueMs ?? Infinity, arrivedMs + this.#horizonMs);
    return Math.max(0, Math.floor(dueMs / this.#stepMs));
  }

  /** What is past its due time goes before all else of its band: one number. */
  #fold(nowMs: number): void {
    const first = Math.max(this.#first, Math.floor(nowMs / this.#stepMs));
    const through = Math.min(first, this.#first + buckets);
    for (let bucket = this.#first; bucket < through; bucket++) {
      for (let band = 0; band < bands; band++) {
        const at = band * buckets + (bucket % buckets);
        this.#overdue[band] = (this.#overdue[band] ?? 0) + (this.#rows[at] ?? 0);
        this.#rows[at] = 0;
      }
    }
    this.#first = first;
  }
}

/** 0 for the highest. */
function bandOf({ band, bypass }: Place): number {
  return bypass ? 0 : Math.min(Math.max(Math.trunc(band), 1), bands) - 1;
}
