import type { BatchRequest } from '../types.js';
import type { LaneSnapshot } from '../decide/snapshot.js';
import type { Account } from './account.js';
import { IndexedHeap } from './heap.js';
import type { Waiting } from './line.js';
import { Lifts, lowestBand } from './lifts.js';
import { LineOrder } from './line-order.js';
import { Line, slot } from './line.js';

export interface LaneIdentity {
  readonly key: string;
  readonly shapeClass: string;
  readonly mergeable: boolean;
  readonly pinnedTarget: string | undefined;
}

/** Charges a tenant for a request that is about to be served. */
export type Pay<R extends BatchRequest> = (account: Account<Line<R>>, request: R) => void;

/** Requests too large for what is left of a batch that are passed over in search of smaller ones. */
const maxPassedOver = 4;
/** Emptied lines that are kept for the next tenants: with each batch most of them empty. */
const maxSpareLines = 64;
/** Rounds by which a tenant may be ahead to be staged on a busy target; see takeTail. */
const stagedReachRounds = 100;

/**
 * Requests that may be merged with each other, in the order of service:
 *
 *     band (1 first; aging makes bands one: Lifts)  >  the tenant's turn  >
 *         its own:  band (aging moves up)  >  due (deadline, SLO or arrival + agingMs, the earliest)  >  arrival
 *
 * Each tenant has a line of its own; the lines stand by bands and by their tenants' turns (Accounts), which all lanes
 * of the model have in common: who spreads over many lanes is served no more often.
 *
 * The cap on `due` bounds starvation inside a band: without it a request without deadline in band 1 would wait for as
 * long as others with deadlines keep coming. E.g. agingMs 1000, band 4, no deadline: after 3 s it is in band 1, and
 * already due there, so that only what arrived before it can still go first.
 *
 * Every operation is O(log n): heaps of lines, and of the same requests by service order in their line, next promotion
 * and deadline. Only the search for a tenant's line goes through the lanes in which it has one.
 */
export class Lane<R extends BatchRequest> implements LaneSnapshot {
  readonly key: string;
  readonly shapeClass: string;
  readonly mergeable: boolean;
  readonly pinnedTarget: string | undefined;
  #rows = 0;
  #requests = 0;
  readonly #lifts: Lifts;
  readonly #lines: LineOrder<R>;
  readonly #spareLines: Line<R>[] = [];
  readonly #promotions = new IndexedHeap<Waiting<R>>(slot.promotion, (left, right) => left.promoteAtMs < right.promoteAtMs);
  readonly #deadlines = new IndexedHeap<Waiting<R>>(slot.deadline, (left, right) => left.request.deadlineMs < right.request.deadlineMs);

  /** `lifts`: those of all lanes of the model. */
  constructor(identity: LaneIdentity, lifts = new Lifts()) {
    this.#lifts = lifts;
    this.#lines = new LineOrder<R>(lifts);
    this.key = identity.key;
    this.shapeClass = identity.shapeClass;
    this.mergeable = identity.mergeable;
    this.pinnedTarget = identity.pinnedTarget;
  }

  get rows(): number {
    return this.#rows;
  }

  get requests(): number {
    return this.#requests;
  }

  get headBand(): number {
    const line = this.#lines.peek();
    return line === undefined ? lowestBand : this.#lines.standingOf(line);
  }

  get headOwnBand(): number {
    return this.#head?.band ?? lowestBand;
  }

  /** Whose turn it is; undefined when nothing waits. */
  get headAccount(): Account<Line<R>> | undefined {
    return this.#lines.peek()?.account;
  }

  get headRound(): number {
    return this.headAccount?.round ?? Infinity;
  }

  get headTurn(): number {
    return this.headAccount?.turn ?? Infinity;
  }

  /** The tenant, where only one has something waiting. */
  get onlyAccount(): Account<Line<R>> | undefined {
    return this.#lines.size === 1 ? this.headAccount : undefined;
  }

  get headDueMs(): number {
    return this.#head?.dueMs ?? Infinity;
  }

  get headDeadlineMs(): number {
    return this.#head?.request.deadlineMs ?? Infinity;
  }

  get headArrivedMs(): number {
    return this.#head?.request.arrivedMs ?? Infinity;
  }

  get headRows(): number {
    return this.#head?.request.rows ?? 0;
  }

  get minDeadlineMs(): number {
    return this.#deadlines.peek()?.request.deadlineMs ?? Infinity;
  }

  get minDeadlineArrivedMs(): number {
    return this.#deadlines.peek()?.request.arrivedMs ?? Infinity;
  }

  get #head(): Waiting<R> | undefined {
    return this.#lines.peek()?.order.peek();
  }

  push(request: R, order: number, band: number, agingMs: number, account: Account<Line<R>>): Waiting<R> {
    const clamped = Math.min(Math.max(Math.trunc(band), 1), lowestBand);
    const line = this.#lineOf(account);
    const waiting: Waiting<R> = {
      request,
      line,
      order,
      dueMs: Math.min(request.deadlineMs, request.softDueMs ?? Infinity, request.arrivedMs + agingMs),
      came: clamped,
      band: clamped,
      promoteAtMs: clamped > 1 ? request.arrivedMs + agingMs : Infinity,
      at: [-1, -1, -1, -1],
    };
    this.#rows += request.rows;
    this.#requests += 1;
    line.push(waiting);
    if (waiting.promoteAtMs < Infinity) this.#promotions.push(waiting);
    if (request.deadlineMs < Infinity) this.#deadlines.push(waiting);
    return waiting;
  }

  remove(waiting: Waiting<R>): boolean {
    const { line } = waiting;
    if (line.lines !== this.#lines || !line.remove(waiting)) return false;
    this.#promotions.remove(waiting);
    this.#lifts.left(waiting.came, waiting.band);
    this.#deadlines.remove(waiting);
    this.#rows -= waiting.request.rows;
    this.#requests -= 1;
    if (line.order.size === 0 && line.passedOver === 0) this.#close(line);
    return true;
  }

  /** Moves up whoever waited long enough; each request moves at most lowestBand - 1 times in its life. */
  age(nowMs: number, agingMs: number): void {
    for (let next = this.#promotions.peek(); next !== undefined && next.promoteAtMs <= nowMs; next = this.#promotions.peek()) {
      const steps = agingMs > 0 ? 1 + Math.floor((nowMs - next.promoteAtMs) / agingMs) : next.band;
      const from = next.band;
      next.band = Math.max(1, from - steps);
      this.#lifts.raised(next.came, from, next.band);
      next.line.promoted(next);
      if (next.band === 1) {
        next.promoteAtMs = Infinity;
        this.#promotions.remove(next);
      } else {
        next.promoteAtMs += steps * agingMs;
        this.#promotions.update(next);
      }
    }
  }

  /** The first requests in order of service whose rows fit together; the very first goes whatever its size. Each is paid as it goes. */
  take(maxRows: number, pay?: Pay<R>): R[] {
    const first = this.#head;
    if (first === undefined) return [];
    this.#serve(first, pay);
    const taken = [first.request];
    if (!this.mergeable) return taken;
    let left = maxRows - first.request.rows;
    let passedOver: Waiting<R>[] | undefined;
    while (left > 0 && (passedOver?.length ?? 0) <= maxPassedOver) {
      const next = this.#head;
      if (next === undefined) break;
      if (next.request.rows > left) {
        next.line.passOver(next);
        (passedOver ??= []).push(next);
        continue;
      }
      this.#serve(next, pay);
      taken.push(next.request);
      left -= next.request.rows;
    }
    if (passedOver !== undefined) for (const waiting of passedOver) waiting.line.comeBack(waiting);
    return taken;
  }

  /**
   * Requests from the far end, for a target that is slower than those which will serve the front: they are the ones
   * that gain. Only such as fit and are due after `earliestDeadlineMs` (the slow run's end). May be empty.
   *
   * Of several tenants the one whose turn it is goes first here too, or the slow target's time would be shared by
   * nobody's weight; from its own far end, and its head is left to the fast ones. What the first few do not fill goes to those
   * who would be served last.
   *
   * A busy target (`staged`) is given nothing of those who are far ahead: else small requests would be staged there
   * for ever and the large ones of others, which the far end has no room for, would never find it idle.
   */
  takeTail(maxRows: number, earliestDeadlineMs: number, pay?: Pay<R>, staged = false): R[] {
    const taken: R[] = [];
    const most = this.mergeable ? Infinity : 1;
    let left = maxRows;
    /** Takes up to `atMost` from the line's far end, but leaves `keep` at its front; answers how many. */
    const takeFrom = (line: Line<R>, keep: number, atMost: number): number => {
      const before = taken.length;
      let passedOver = 0;
      for (let index = line.order.size - 1; index >= keep && left > 0 && passedOver <= maxPassedOver; index--) {
        const waiting = line.order.itemAt(index);
        if (waiting === undefined || taken.length - before >= atMost) break;
        if (waiting.request.rows > left || waiting.request.deadlineMs < earliestDeadlineMs) {
          passedOver += 1;
          continue;
        }
        this.#serve(waiting, pay);
        taken.push(waiting.request);
        left -= waiting.request.rows;
        index = Math.min(index, line.order.size);
      }
      return taken.length - before;
    };
    const only = this.#lines.size === 1 ? this.#lines.peek() : undefined;
    if (only !== undefined) {
      takeFrom(only, 0, most);
      return taken;
    }
    const mostRound = staged ? this.headRound + stagedReachRounds : Infinity;
    const passedOver: Line<R>[] = [];
    while (left > 0 && taken.length < most && passedOver.length <= maxPassedOver) {
      const line = this.#lines.peek();
      if (line === undefined || line.account.round > mostRound) break;
      if (takeFrom(line, 1, 1) > 0) continue;
      this.#lines.remove(line);
      passedOver.push(line);
    }
    for (const line of passedOver) line.moved();
    const head = this.#lines.peek();
    for (let index = this.#lines.size - 1, looked = 0; index >= 0 && left > 0 && taken.length < most && looked <= maxPassedOver; index--) {
      const line = this.#lines.itemAt(index);
      if (line === undefined) break;
      if (line === head) continue;
      if (line.account.round > mostRound || takeFrom(line, 0, most) === 0) looked += 1;
      index = Math.min(index, this.#lines.size);
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

  /** Removes the one with the earliest deadline, or the head, if that is by `throughMs` and it had at least `leastBudgetMs` until then. */
  takeLate(throughMs: number, leastBudgetMs: number): R | undefined {
    let late = this.#deadlines.peek();
    if (!isLate(late, throughMs, leastBudgetMs)) late = this.#head;
    if (!isLate(late, throughMs, leastBudgetMs)) return undefined;
    this.remove(late);
    return late.request;
  }

  /** Infinity when nothing waits. */
  oldestArrivedMs(): number {
    let oldestMs = Infinity;
    this.each(({ arrivedMs }) => (oldestMs = Math.min(oldestMs, arrivedMs)));
    return oldestMs;
  }

  /** Of all that wait, in no order. */
  each(visit: (request: R) => void): void {
    for (let at = 0; at < this.#lines.size; at++) {
      const order = this.#lines.itemAt(at)?.order;
      for (let index = 0; index < (order?.size ?? 0); index++) {
        const waiting = order?.itemAt(index);
        if (waiting !== undefined) visit(waiting.request);
      }
    }
  }

  /** Removes any one request. */
  takeAny(): R | undefined {
    const order = this.#lines.itemAt(this.#lines.size - 1)?.order;
    const last = order?.itemAt(order.size - 1);
    if (last !== undefined) this.remove(last);
    return last?.request;
  }

  #serve(waiting: Waiting<R>, pay: Pay<R> | undefined): void {
    // Before it leaves, so that its line moves once.
    pay?.(waiting.line.account, waiting.request);
    this.remove(waiting);
  }

  #lineOf(account: Account<Line<R>>): Line<R> {
    const first = this.#lines.peek();
    if (first?.account === account) return first;
    for (const seat of account.seats) if (seat.lines === this.#lines) return seat;
    const line = this.#spareLines.pop() ?? new Line(this.key, this.#lines, account);
    line.account = account;
    account.seats.push(line);
    return line;
  }

  #close(line: Line<R>): void {
    const { seats } = line.account;
    const last = seats.pop();
    if (last !== undefined && last !== line) seats[seats.indexOf(line)] = last;
    if (this.#spareLines.length < maxSpareLines) this.#spareLines.push(line);
  }
}

function isLate<R extends BatchRequest>(waiting: Waiting<R> | undefined, throughMs: number, leastBudgetMs: number): waiting is Waiting<R> {
  if (waiting === undefined) return false;
  const { deadlineMs, arrivedMs } = waiting.request;
  return deadlineMs <= throughMs && deadlineMs - arrivedMs >= leastBudgetMs;
}
