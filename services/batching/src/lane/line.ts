import type { BatchRequest } from '../types.js';
import type { Account, Seat } from './account.js';
import type { HeapItem } from './heap.js';
import { IndexedHeap } from './heap.js';

/** A waiting request with its place in the lane. */
export interface Waiting<R extends BatchRequest> extends HeapItem {
  readonly request: R;
  readonly line: Line<R>;
  readonly order: number;
  /** Deadline for ordering: the request's or its model's SLO, but never later than one agingMs after arrival. */
  readonly dueMs: number;
  /** Band with aging applied so far. */
  band: number;
  /** When it moves up one band; Infinity in band 1. */
  promoteAtMs: number;
}

/** In which heap a request's place is written where; `latest` only once somebody asked for it. */
export const slot = { order: 0, promotion: 1, deadline: 2, latest: 3 } as const;

/**
 * What one tenant has waiting in one lane, in the order band > due > arrival. It stands among the lane's other lines by
 * the band of its head and its tenant's turn.
 */
export class Line<R extends BatchRequest> implements HeapItem, Seat {
  readonly at = [-1];
  readonly laneKey: string;
  /** Those of the lane. */
  readonly lines: IndexedHeap<Line<R>>;
  readonly order = new IndexedHeap<Waiting<R>>(slot.order, servedBefore);
  account: Account<Line<R>>;
  /** Requests that are out of the order for a moment only: the line is not empty without them. */
  passedOver = 0;
  #latest: IndexedHeap<Waiting<R>> | undefined;

  constructor(laneKey: string, lines: IndexedHeap<Line<R>>, account: Account<Line<R>>) {
    this.laneKey = laneKey;
    this.lines = lines;
    this.account = account;
  }

  push(waiting: Waiting<R>): void {
    this.order.push(waiting);
    this.#latest?.push(waiting);
    this.moved();
  }

  remove(waiting: Waiting<R>): boolean {
    if (!this.order.remove(waiting)) return false;
    this.#latest?.remove(waiting);
    this.moved();
    return true;
  }

  passOver(waiting: Waiting<R>): void {
    this.passedOver += 1;
    this.order.remove(waiting);
    this.moved();
  }

  comeBack(waiting: Waiting<R>): void {
    this.passedOver -= 1;
    this.order.push(waiting);
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
    if (this.order.size === 0) {
      this.lines.remove(this);
      if (this.passedOver === 0) this.#latest = undefined;
    } else if (this.lines.has(this)) this.lines.update(this);
    else this.lines.push(this);
  }
}

export function lineBefore<R extends BatchRequest>(left: Line<R>, right: Line<R>): boolean {
  const first = left.order.peek()?.band ?? Infinity;
  const second = right.order.peek()?.band ?? Infinity;
  if (first !== second) return first < second;
  if (left.account.round !== right.account.round) return left.account.round < right.account.round;
  return left.account.turn < right.account.turn;
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
