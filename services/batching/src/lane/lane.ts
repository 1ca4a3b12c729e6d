import type { BatchRequest } from '../types.js';
import type { LaneSnapshot } from '../decide/snapshot.js';
import type { HeapItem } from './heap.js';
import { IndexedHeap } from './heap.js';

/** A waiting request with its place in the lane. */
export interface Waiting<R extends BatchRequest> extends HeapItem {
  readonly request: R;
  readonly lane: Lane<R>;
  readonly order: number;
  /** Deadline for ordering: the request's, but never later than one agingMs after arrival. */
  readonly dueMs: number;
  /** Band with aging applied so far. */
  band: number;
  /** When it moves up one band; Infinity in band 1. */
  promoteAtMs: number;
}

export interface LaneIdentity {
  readonly key: string;
  readonly shapeClass: string;
  readonly mergeable: boolean;
  readonly pinnedTarget: string | undefined;
}

const slot = { order: 0, promotion: 1, deadline: 2 } as const;
/** A band below this is treated as this one: aging from it takes 16 agingMs at most. */
const lowestBand = 16;
/** Requests too large for what is left of a batch that are passed over in search of smaller ones. */
const maxPassedOver = 4;

/**
 * Requests that may be merged with each other, in the order of service:
 *
 *     band (1 first, aging moves up)  >  due (deadline, or arrival + agingMs when that is earlier)  >  arrival
 *
 * The cap on `due` bounds starvation inside a band: without it a request without deadline in band 1 would wait for as
 * long as others with deadlines keep coming. E.g. agingMs 1000, band 4, no deadline: after 3 s it is in band 1, and
 * already due there, so that only what arrived before it can still go first.
 *
 * Every operation is O(log n): three heaps share the same items (service order, next promotion, deadline).
 */
export class Lane<R extends BatchRequest> implements LaneSnapshot {
  readonly key: string;
  readonly shapeClass: string;
  readonly mergeable: boolean;
  readonly pinnedTarget: string | undefined;
  #rows = 0;
  readonly #order = new IndexedHeap<Waiting<R>>(slot.order, servedBefore);
  readonly #promotions = new IndexedHeap<Waiting<R>>(slot.promotion, (left, right) => left.promoteAtMs < right.promoteAtMs);
  readonly #deadlines = new IndexedHeap<Waiting<R>>(slot.deadline, (left, right) => left.request.deadlineMs < right.request.deadlineMs);

  constructor(identity: LaneIdentity) {
    this.key = identity.key;
    this.shapeClass = identity.shapeClass;
    this.mergeable = identity.mergeable;
    this.pinnedTarget = identity.pinnedTarget;
  }

  get rows(): number {
    return this.#rows;
  }

  get requests(): number {
    return this.#order.size;
  }

  get headBand(): number {
    return this.#order.peek()?.band ?? lowestBand;
  }

  get headDueMs(): number {
    return this.#order.peek()?.dueMs ?? Infinity;
  }

  get headDeadlineMs(): number {
    return this.#order.peek()?.request.deadlineMs ?? Infinity;
  }

  get headArrivedMs(): number {
    return this.#order.peek()?.request.arrivedMs ?? Infinity;
  }

  get headRows(): number {
    return this.#order.peek()?.request.rows ?? 0;
  }

  get minDeadlineMs(): number {
    return this.#deadlines.peek()?.request.deadlineMs ?? Infinity;
  }

  /** When the next request moves up a band; Infinity for never. */
  get nextPromotionMs(): number {
    return this.#promotions.peek()?.promoteAtMs ?? Infinity;
  }

  push(request: R, order: number, band: number, agingMs: number): Waiting<R> {
    const clamped = Math.min(Math.max(Math.trunc(band), 1), lowestBand);
    const waiting: Waiting<R> = {
      request,
      lane: this,
      order,
      dueMs: Math.min(request.deadlineMs, request.arrivedMs + agingMs),
      band: clamped,
      promoteAtMs: clamped > 1 ? request.arrivedMs + agingMs : Infinity,
      at: [-1, -1, -1],
    };
    this.#rows += request.rows;
    this.#order.push(waiting);
    if (waiting.promoteAtMs < Infinity) this.#promotions.push(waiting);
    if (request.deadlineMs < Infinity) this.#deadlines.push(waiting);
    return waiting;
  }

  remove(waiting: Waiting<R>): boolean {
    if (!this.#order.remove(waiting)) return false;
    this.#promotions.remove(waiting);
    this.#deadlines.remove(waiting);
    this.#rows -= waiting.request.rows;
    return true;
  }

  /** Moves up whoever waited long enough; each request moves at most lowestBand - 1 times in its life. */
  age(nowMs: number, agingMs: number): void {
    for (let next = this.#promotions.peek(); next !== undefined && next.promoteAtMs <= nowMs; next = this.#promotions.peek()) {
      const steps = agingMs > 0 ? 1 + Math.floor((nowMs - next.promoteAtMs) / agingMs) : next.band;
      next.band = Math.max(1, next.band - steps);
      this.#order.update(next);
      if (next.band === 1) {
        next.promoteAtMs = Infinity;
        this.#promotions.remove(next);
      } else {
        next.promoteAtMs += steps * agingMs;
        this.#promotions.update(next);
      }
    }
  }

  /** The first requests in order of service whose rows fit together; the very first goes whatever its size. */
  take(maxRows: number): R[] {
    const first = this.#order.peek();
    if (first === undefined) return [];
    this.remove(first);
    const taken = [first.request];
    if (!this.mergeable) return taken;
    let left = maxRows - first.request.rows;
    const passedOver: Waiting<R>[] = [];
    while (left > 0 && passedOver.length <= maxPassedOver) {
      const next = this.#order.peek();
      if (next === undefined) break;
      if (next.request.rows > left) {
        this.#order.remove(next);
        passedOver.push(next);
        continue;
      }
      this.remove(next);
      taken.push(next.request);
      left -= next.request.rows;
    }
    for (const waiting of passedOver) this.#order.push(waiting);
    return taken;
  }

  /**
   * Requests from the far end, for a target that is slower than those which will serve the front: they are the ones
   * that gain. Only such as fit and are due after `earliestDeadlineMs` (the slow run's end). May be empty.
   */
  takeTail(maxRows: number, earliestDeadlineMs: number): R[] {
    const taken: R[] = [];
    let left = maxRows;
    let passedOver = 0;
    for (let index = this.#order.size - 1; index >= 0 && left > 0 && passedOver <= maxPassedOver; index--) {
      const waiting = this.#order.itemAt(index);
      if (waiting === undefined) break;
      if (waiting.request.rows > left || waiting.request.deadlineMs < earliestDeadlineMs) {
        passedOver += 1;
        continue;
      }
      this.remove(waiting);
      taken.push(waiting.request);
      left -= waiting.request.rows;
      if (!this.mergeable) break;
      index = Math.min(index, this.#order.size);
    }
    return taken;
  }

  /** Removes one request whose deadline is `throughMs` or earlier, or answers undefined. */
  takeExpired(throughMs: number): R | undefined {
    const next = this.#deadlines.peek();
    if (next === undefined || next.request.deadlineMs > throughMs) return undefined;
    this.remove(next);
    return next.request;
  }

  /** Removes the head if it is due by `throughMs` and had at least `leastBudgetMs` from arrival to deadline. */
  takeExpiredHead(throughMs: number, leastBudgetMs: number): R | undefined {
    const head = this.#order.peek();
    if (head === undefined || head.request.deadlineMs > throughMs) return undefined;
    if (head.request.deadlineMs - head.request.arrivedMs < leastBudgetMs) return undefined;
    this.remove(head);
    return head.request;
  }

  /** Infinity when nothing waits. */
  oldestArrivedMs(): number {
    let oldestMs = Infinity;
    for (let index = 0; index < this.#order.size; index++)
      oldestMs = Math.min(oldestMs, this.#order.itemAt(index)?.request.arrivedMs ?? Infinity);
    return oldestMs;
  }

  /** Removes any one request. */
  takeAny(): R | undefined {
    const last = this.#order.itemAt(this.#order.size - 1);
    if (last !== undefined) this.remove(last);
    return last?.request;
  }
}

function servedBefore<R extends BatchRequest>(left: Waiting<R>, right: Waiting<R>): boolean {
  if (left.band !== right.band) return left.band < right.band;
  if (left.dueMs !== right.dueMs) return left.dueMs < right.dueMs;
  if (left.request.arrivedMs !== right.request.arrivedMs) return left.request.arrivedMs < right.request.arrivedMs;
  return left.order < right.order;
}
