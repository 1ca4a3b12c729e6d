import type { BatchRequest } from '../types.js';
import type { Account, Seat } from './account.js';
import type { HeapItem } from './heap.js';
import { IndexedHeap } from './heap.js';
import type { LineOrder } from './line-order.js';

/** A waiting request with its place in the lane. */
export interface Waiting<R extends BatchRequest> extends HeapItem {
  readonly request: R;
  readonly line: Line<R>;
  readonly order: number;
  /** Deadline for ordering: the request's or its model's SLO, but never later than one agingMs after arrival. */
  readonly dueMs: number;
  /** Band that it came in. */
  readonly came: number;
  /** Band with aging applied so far. */
  band: number;
  /** When it moves up one band; Infinity in band 1. */
  promoteAtMs: number;
}

/** In which heap a request's place is written where; `latest` only once somebody asked for it. */
export const slot = { order: 0, promotion: 1, deadline: 2, latest: 3 } as const;

/**
 * What one tenant has waiting in one lane, in the order band > due > arrival. It stands among the lane's other lines by
 * the highest band that something of it came in and by its tenant's turn; which of its own goes then is its own order.
 */
export class Line<R extends BatchRequest> implements HeapItem, Seat {
  readonly at = [-1];
  readonly laneKey: string;
  /** Those of the lane. */
  readonly lines: LineOrder<R>;
  readonly order = new IndexedHeap<Waiting<R>>(slot.order, servedBefore);
  account: Account<Line<R>>;
  /** Requests that are out of the order for a moment only: the line is not empty without them. */
  passedOver = 0;
  /** Of LineOrder: the band in which it stands there; 0 for none. */
  placed = 0;
  /** The highest band that something of the order came in; 0 when it is empty. */
  highestBand = 0;
  readonly #came: number[] = [];
  #latest: IndexedHeap<Waiting<R>> | undefined;

  constructor(laneKey: string, lines: LineOrder<R>, account: Account<Line<R>>) {
    this.laneKey = laneKey;
    this.lines = lines;
    this.account = account;
  }

  push(waiting: Waiting<R>): void {
    this.#enter(waiting);
    this.#latest?.push(waiting);
    this.moved();
  }

  remove(waiting: Waiting<R>): boolean {
    if (!this.#leave(waiting)) return false;
    this.#latest?.remove(waiting);
    this.moved();
    return true;
  }

  passOver(waiting: Waiting<R>): void {
    this.passedOver += 1;
    this.#leave(waiting);
    this.moved();
  }

  comeBack(waiting: Waiting<R>): void {
    this.passedOver -= 1;
    this.#enter(waiting);
    this.moved();
  }

  /** After its band changed. */
  promoted(waiting: Waiting<R>): void {
    this.order.update(waiting);
    this.#latest?.update(waiting);
    this.moved();
  }

  /** The request that would be served last. The first time looks at each; kept up from then on, until the line is empty. */
  latest(): Waiting<R> | undefined {
    if (this.#latest === undefined) {
      this.#latest = new IndexedHeap<Waiting<R>>(slot.latest, servedAfter);
      for (let index = 0; index < this.order.size; index++) {
        const waiting = this.order.itemAt(index);
        if (waiting !== undefined) this.#latest.push(waiting);
      }
    }
    return this.#latest.peek();
  }

  /** Takes its place among the lines, where one that is empty has none. */
  moved(): void {
    this.lines.place(this);
    if (this.order.size === 0 && this.passedOver === 0) this.#latest = undefined;
  }

  #enter(waiting: Waiting<R>): void {
    const { came } = waiting;
    this.order.push(waiting);
    this.#came[came] = (this.#came[came] ?? 0) + 1;
    if (this.highestBand === 0 || came < this.highestBand) this.highestBand = came;
  }

  #leave(waiting: Waiting<R>): boolean {
    if (!this.order.remove(waiting)) return false;
    const left = (this.#came[waiting.came] ?? 1) - 1;
    this.#came[waiting.came] = left;
    if (this.order.size === 0) this.highestBand = 0;
    else if (left === 0 && waiting.came === this.highestBand) while ((this.#came[this.highestBand] ?? 0) === 0) this.highestBand += 1;
    return true;
  }
}

export function servedBefore<R extends BatchRequest>(left: Waiting<R>, right: Waiting<R>): boolean {
  if (left.band !== right.band) return left.band < right.band;
  if (left.dueMs !== right.dueMs) return left.dueMs < right.dueMs;
  if (left.request.arrivedMs !== right.request.arrivedMs) return left.request.arrivedMs < right.request.arrivedMs;
  return left.order < right.order;
}

function servedAfter<R extends BatchRequest>(left: Waiting<R>, right: Waiting<R>): boolean {
  return servedBefore(right, left);
}
