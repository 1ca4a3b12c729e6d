import type { BatchRequest } from '../types.js';
import { DueRing, stepFor } from './due-ring.js';
import { Inflow } from './inflow.js';

export type Place = Pick<BatchRequest, 'rows' | 'band' | 'bypass' | 'arrivedMs' | 'deadlineMs' | 'softDueMs'>;

/** A band below this is treated as this one. */
export const bands = 16;

/**
 * How many rows wait, by band and due time, for the question how much is before a request:
 *
 *     band 1   overdue | 0 | 3 | 7 | 1 | ...      counted: bands above wholly,
 *     band 2   overdue | 2 | 2 | 0 | 4 | ...               its own up to its due time (earliest deadline first),
 *     band 3   overdue | ...                               and of the next band what is overdue: aging has moved it up
 *
 * A request is counted where it entered: aging by more than one band is not followed.
 */
export class WaitingWork {
  readonly #stepMs: number;
  readonly #horizonMs: number;
  readonly #rings: (DueRing | undefined)[] = [];
  /** What entered of late. */
  readonly inflow = new Inflow();

  /** Due times later than `horizonMs` after arrival count as that (the lanes' own order does so by agingMs). */
  constructor(horizonMs: number) {
    this.#horizonMs = Number.isFinite(horizonMs) ? Math.max(horizonMs, 1) : 60_000;
    this.#stepMs = stepFor(this.#horizonMs);
  }

  entered(request: Place): void {
    const ring = (this.#rings[bandOf(request)] ??= new DueRing());
    ring.fold(this.firstBucket(request.arrivedMs));
    ring.add(this.bucketOf(request), request.rows);
    this.inflow.entered(bandOf(request), request.rows, this.#dueMs(request) - request.arrivedMs, request.arrivedMs);
  }

  /** Of a request that entered, exactly once. */
  left(request: Place): void {
    this.#rings[bandOf(request)]?.add(this.bucketOf(request), -request.rows);
  }

  rowsAhead(request: Place, nowMs: number): number {
    const band = bandOf(request);
    let ahead = this.rowsAbove(band) + this.overdueIn(band + 1, nowMs);
    const ring = this.#rings[band];
    ring?.fold(this.firstBucket(nowMs));
    ahead += ring?.through(this.bucketOf(request)) ?? 0;
    return ahead;
  }

  /** Rows that come within `withinMs` and go before it, of higher bands and, by their due times, of its own. */
  rowsComing(request: Place, withinMs: number, mostPerMs: number, nowMs: number): number {
    const band = bandOf(request);
    const own = this.inflow.sooner(band, this.#dueMs(request) - nowMs, withinMs, nowMs);
    return own + this.rowsComingAbove(request, withinMs, mostPerMs, nowMs);
  }

  /** Of them those of higher bands. */
  rowsComingAbove(request: Place, withinMs: number, mostPerMs: number, nowMs: number): number {
    return this.inflow.above(bandOf(request), withinMs, this.#horizonMs, mostPerMs, nowMs);
  }

  /** Of all bands above this one; 0 is the highest. */
  rowsAbove(band: number): number {
    let rows = 0;
    for (let above = 0; above < band && above < this.#rings.length; above++) rows += this.#rings[above]?.total ?? 0;
    return rows;
  }

  overdueIn(band: number, nowMs: number): number {
    const ring = this.#rings[band];
    ring?.fold(this.firstBucket(nowMs));
    return ring?.overdue ?? 0;
  }

  bucketOf(request: Place): number {
    return Math.max(0, Math.floor(this.#dueMs(request) / this.#stepMs));
  }

  /** Of due times that are not past. */
  firstBucket(nowMs: number): number {
    return Math.floor(nowMs / this.#stepMs);
  }

  #dueMs({ arrivedMs, deadlineMs, softDueMs }: Place): number {
    return Math.min(deadlineMs, softDueMs ?? Infinity, arrivedMs + this.#horizonMs);
  }
}

/** 0 for the highest. */
export function bandOf({ band, bypass }: Pick<Place, 'band' | 'bypass'>): number {
  return bypass ? 0 : Math.min(Math.max(Math.trunc(band), 1), bands) - 1;
}
