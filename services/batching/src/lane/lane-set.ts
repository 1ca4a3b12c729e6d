import type { Pace, ServiceOrder } from '../arrival/order.js';
import type { Inflow } from '../arrival/inflow.js';
import type { RetryLine } from '../arrival/retry-line.js';
import { WaitingWork } from '../arrival/waiting-work.js';
import type { BatchRequest } from '../types.js';
import type { Account } from './account.js';
import { Accounts } from './accounts.js';
import type { LaneIdentity, Pay } from './lane.js';
import { Lane } from './lane.js';
import { Lifts } from './lifts.js';
import type { Line, Waiting } from './line.js';
import { servedBefore } from './line.js';
import { TenantWork } from './tenant-work.js';

/** Due times are told apart up to so long after arrival where aging does not say how long, ms. */
const defaultHorizonMs = 60_000;

/**
 * All lanes of one model. A lane exists while something waits in it: what has run leaves no trace, so that a client who
 * varies shapes or parameters costs memory only for what it has in the queue.
 *
 * A request knows its own place (BatchRequest.place): a Map of all that wait, which changes with each request, would take
 * requests that are long answered with it into V8's old generation (see StreamTable of services/wire).
 */
export class LaneSet<R extends BatchRequest> implements ServiceOrder {
  readonly #lanes = new Map<string, Lane<R>>();
  readonly #lifts = new Lifts();
  /** The one that was emptied last: mostly the next that is needed. */
  #spare: Lane<R> | undefined;
  #last: { readonly lane: string; readonly identity: LaneIdentity } | undefined;
  #requests = 0;
  #rows = 0;
  #order = 0;
  readonly #accounts = new Accounts<Line<R>>((account) => this.#tenants?.forgotten(account));
  readonly #work: WaitingWork;
  /** Undefined until a request names a tenant: nothing is kept of turns while there is nobody to be fair to. */
  #tenants: TenantWork<Line<R>> | undefined;
  #perRowMs = 0;
  readonly #pay: Pay<R> = (account, request) => {
    const ms = this.#perRowMs * placesOf(request);
    this.#accounts.serve(account, ms);
    this.#tenants?.served(account, request, ms);
  };

  /** `horizonMs`: how long after its arrival a request is due at the latest (agingMs). */
  constructor(horizonMs = defaultHorizonMs) {
    this.#work = new WaitingWork(horizonMs);
  }

  get rows(): number {
    return this.#rows;
  }

  get requests(): number {
    return this.#requests;
  }

  get lanes(): number {
    return this.#lanes.size;
  }

  all(): Lane<R>[] {
    return [...this.#lanes.values()];
  }

  lane(key: string): Lane<R> | undefined {
    return this.#lanes.get(key);
  }

  /** True when the request would open a lane beyond those there are. */
  needsLane(request: R): boolean {
    return !this.#lanes.has(this.#identityOf(request).key);
  }

  has(request: R): boolean {
    return request.place !== undefined;
  }

  /** True once a request named a tenant: from then on what runs is charged. */
  get plural(): boolean {
    return this.#tenants !== undefined;
  }

  mayBypass(request: R): boolean {
    return this.#tenants === undefined || this.#accounts.mayBypass(this.#accountOf(request));
  }

  rowsAhead(request: R, nowMs: number, pace: Pace): number {
    const account = this.#accountOf(request);
    if (this.#tenants === undefined) return this.#work.rowsAhead(request, nowMs);
    return this.#tenants.rowsAhead(account, request, this.rowsBeside(request), account.debtMs(this.#nextRound(account)), nowMs, pace);
  }

  /** By turns of tenants what comes of the own band is counted by Demand. */
  rowsComing(request: R, withinMs: number, mostPerMs: number, nowMs: number): number {
    if (this.#tenants !== undefined) return this.#work.rowsComingAbove(request, withinMs, mostPerMs, nowMs);
    return this.#work.rowsComing(request, withinMs, mostPerMs, nowMs);
  }

  get inflow(): Inflow {
    return this.#work.inflow;
  }

  usedShare(nowMs: number, pace: Pace): number {
    return this.#tenants?.usedShare(nowMs, pace) ?? 0;
  }

  rowsBeside(request: R): number {
    return this.#lanes.get(this.#identityOf(request).key)?.rows ?? 0;
  }

  retryLines(request: R): (RetryLine | undefined)[] {
    return this.#accountOf(request).retryLines;
  }

  shareOf(request: R): number {
    const account = this.#accountOf(request);
    return this.#tenants === undefined ? 1 : account.weight / this.#accounts.weightsWith(account);
  }

  push(request: R, band: number, agingMs: number): Lane<R> {
    const identity = this.#identityOf(request);
    let lane = this.#lanes.get(identity.key);
    if (lane === undefined) {
      lane = this.#spare?.key === identity.key ? this.#spare : new Lane<R>(identity, this.#lifts);
      this.#lanes.set(identity.key, lane);
    }
    const account = this.#accountOf(request);
    this.#work.entered(request);
    if (this.#tenants !== undefined) {
      this.#accounts.entered(account, placesOf(request));
      this.#tenants.entered(account, request);
    }
    request.place = lane.push(request, this.#order++, band, agingMs, account);
    this.#requests += 1;
    this.#rows += request.rows;
    return lane;
  }

  cancel(request: R): boolean {
    // Only push above writes it.
    const waiting = request.place as Waiting<R> | undefined;
    return waiting !== undefined && this.#remove(waiting);
  }

  /** Each tenant is charged `perRowMs` for each row that is taken of it; 0: nobody is. */
  take(lane: Lane<R>, maxRows: number, perRowMs = 0): R[] {
    const first = perRowMs > 0 ? lane.headAccount : undefined;
    if (first !== undefined) this.#accounts.serving(first);
    return this.#served(lane, lane.take(maxRows, this.#payAt(perRowMs)));
  }

  takeTail(lane: Lane<R>, maxRows: number, earliestDeadlineMs: number, perRowMs = 0, staged = false): R[] {
    return this.#served(lane, lane.takeTail(maxRows, earliestDeadlineMs, this.#payAt(perRowMs), staged));
  }

  /** Shares `ms` of service, or of a refund, out among the tenants of requests by their rows. */
  charge(requests: readonly R[], ms: number): void {
    if (ms === 0) return;
    let places = 0;
    for (const request of requests) places += placesOf(request);
    let owed = 0;
    requests.forEach((request, index) => {
      owed += placesOf(request);
      if (requests[index + 1]?.tenant === request.tenant && index + 1 < requests.length) return;
      const account = this.#accountOf(request);
      this.#charge(account, request, (ms * owed) / places);
      this.#accounts.settle(account);
      owed = 0;
    });
  }

  /** Whether so many rows or requests wait that the request would be too much. A request without rows still takes a place. */
  isFull(request: R, maxRows: number): boolean {
    const places = Math.max(this.#rows, this.#requests);
    return places > 0 && places + placesOf(request) > maxRows;
  }

  /**
   * Whether makeRoom would: in a full queue only for a tenant that has no more than its share, by weight among those that wait, with
   * this request and `heldRows` that are kept for others of it. Changes nothing.
   */
  mayMakeRoom(request: R, maxRows: number, maxLanes: number, heldRows: number): boolean {
    if (this.#tenants === undefined) return false;
    const account = this.#accountOf(request);
    const weights = this.#accounts.weightsWith(account);
    if (this.isFull(request, maxRows - heldRows)) {
      if ((account.places + placesOf(request) + heldRows) * weights > maxRows * account.weight) return false;
    }
    if (this.#lanes.size < maxLanes || !this.needsLane(request)) return true;
    if ((account.seats.length + 1) * weights > maxLanes * account.weight) return false;
    return this.#laneToClose(maxLanes / weights) !== undefined;
  }

  /**
   * Takes out what keeps the request's tenant from its share of a full queue: of the tenant that holds the most for its
   * weight, what would be served last (McKenney 1990: the longest queue pays). Only after mayMakeRoom; nothing where there is room.
   *
   * While the queue is full and the newcomer within its share, somebody is over his: the shares add up to the queue. Each
   * that is taken out was put in once, and no more go than the request has rows.
   */
  makeRoom(request: R, maxRows: number, maxLanes: number): R[] {
    const account = this.#accountOf(request);
    const weights = this.#accounts.weightsWith(account);
    const out: R[] = [];
    if (this.lanes >= maxLanes && this.needsLane(request)) {
      const lane = this.#laneToClose(maxLanes / weights);
      while (lane !== undefined && lane.requests > 0) out.push(...this.#left(lane, one(lane.takeAny())));
    }
    while (this.isFull(request, maxRows)) {
      const most = this.#accounts.mostQueued;
      if (most === undefined || most.places * weights <= maxRows * most.weight) break;
      const last = latestOf(most);
      if (last === undefined || !this.#remove(last)) break;
      out.push(last.request);
    }
    return out;
  }

  takeExpired(lane: Lane<R>, throughMs: number): R | undefined {
    const request = lane.takeExpired(throughMs);
    if (request !== undefined) this.#left(lane, [request]);
    return request;
  }

  takeLate(lane: Lane<R>, throughMs: number, leastBudgetMs: number): R | undefined {
    const request = lane.takeLate(throughMs, leastBudgetMs);
    if (request !== undefined) this.#left(lane, [request]);
    return request;
  }

  takeAny(): R | undefined {
    const first = this.#lanes.values().next();
    if (first.done) return undefined;
    const request = first.value.takeAny();
    if (request !== undefined) this.#left(first.value, [request]);
    return request;
  }

  age(nowMs: number, agingMs: number): void {
    for (const lane of this.#lanes.values()) lane.age(nowMs, agingMs);
  }

  /** Arrival of the request that came first; undefined when nothing waits. Looks at each. */
  oldestArrivedMs(): number | undefined {
    let oldestMs: number | undefined;
    for (const lane of this.#lanes.values()) oldestMs = Math.min(oldestMs ?? Infinity, lane.oldestArrivedMs());
    return oldestMs;
  }

  /** Requests of one kind come in rows, and their key need not be put together for each. */
  #identityOf(request: R): LaneIdentity {
    const last = this.#last;
    if (last !== undefined && last.lane === request.lane && sameKind(last.identity, request)) return last.identity;
    const identity = identityOf(request);
    this.#last = { lane: request.lane, identity };
    return identity;
  }

  #payAt(perRowMs: number): Pay<R> | undefined {
    this.#perRowMs = perRowMs;
    return perRowMs > 0 ? this.#pay : undefined;
  }

  /** Of those whose turn it is in their lanes, the first; no later than the account's own. */
  #nextRound(account: Account<Line<R>>): number {
    let { round } = account;
    if (round > this.#accounts.currentRound) for (const lane of this.#lanes.values()) round = Math.min(round, lane.headRound);
    return round;
  }

  #charge(account: Account<Line<R>>, request: R, ms: number): void {
    this.#accounts.charge(account, ms);
    this.#tenants?.served(account, request, ms);
  }

  #accountOf({ tenant }: R): Account<Line<R>> {
    if (tenant === undefined) return this.#accounts.common;
    if (this.#tenants === undefined) this.#beginTurns();
    return this.#accounts.of(tenant);
  }

  /** Once in its life: what waits until then is that of one tenant. */
  #beginTurns(): void {
    const tenants = (this.#tenants = new TenantWork<Line<R>>(this.#work, this.#lifts));
    const { common } = this.#accounts;
    for (const lane of this.#lanes.values()) {
      lane.each((request) => {
        this.#accounts.entered(common, placesOf(request));
        tenants.entered(common, request);
      });
    }
  }

  /** Lanes of one tenant only, of which it has more than its share: the one with the fewest requests of the tenant with the most lanes. */
  #laneToClose(lanesPerWeight: number): Lane<R> | undefined {
    let found: Lane<R> | undefined;
    let most = lanesPerWeight;
    for (const lane of this.#lanes.values()) {
      const account = lane.onlyAccount;
      if (account === undefined) continue;
      const held = account.seats.length / account.weight;
      if (held < most || (held === most && (found === undefined || lane.requests >= found.requests))) continue;
      found = lane;
      most = held;
    }
    return found;
  }

  #remove(waiting: Waiting<R>): boolean {
    const lane = this.#lanes.get(waiting.line.laneKey);
    if (lane?.remove(waiting) !== true) return false;
    this.#left(lane, [waiting.request]);
    return true;
  }

  #served(lane: Lane<R>, requests: R[]): R[] {
    this.#left(lane, requests);
    if (this.#perRowMs > 0) for (const request of requests) this.#accounts.settle(this.#accountOf(request));
    return requests;
  }

  #left(lane: Lane<R>, requests: R[]): R[] {
    for (const request of requests) {
      this.#work.left(request);
      if (this.#tenants !== undefined) {
        // Only push writes it; its line has no other tenant before the next push.
        const { account } = (request.place as Waiting<R>).line;
        this.#tenants.left(account, request);
        this.#accounts.left(account, placesOf(request));
      }
      request.place = undefined;
      this.#rows -= request.rows;
    }
    this.#requests -= requests.length;
    if (lane.requests === 0) {
      this.#lanes.delete(lane.key);
      this.#spare = lane;
    }
    return requests;
  }
}

function placesOf({ rows }: BatchRequest): number {
  return Math.max(rows, 1);
}

function one<T>(item: T | undefined): T[] {
  return item === undefined ? [] : [item];
}

/** What the tenant would be served with last. */
function latestOf<R extends BatchRequest>(account: Account<Line<R>>): Waiting<R> | undefined {
  let latest: Waiting<R> | undefined;
  for (const line of account.seats) {
    const last = line.latest();
    if (last !== undefined && (latest === undefined || servedBefore(latest, last))) latest = last;
  }
  return latest;
}

function sameKind(identity: LaneIdentity, { shapeClass, mergeable, pinnedTarget }: BatchRequest): boolean {
  return identity.shapeClass === shapeClass && identity.mergeable === mergeable && identity.pinnedTarget === pinnedTarget;
}

/**
 * What may run together, more finely than the caller's key: requests that must run alone share one lane per shape class
 * (they need an order, not a likeness), and what is pinned to a target has a lane per target.
 */
function identityOf(request: BatchRequest): LaneIdentity {
  const kind = request.mergeable ? `merge:${request.lane}` : `alone:${request.shapeClass}`;
  return {
    key: request.pinnedTarget === undefined ? kind : `pin:${request.pinnedTarget.length}:${request.pinnedTarget}:${kind}`,
    shapeClass: request.shapeClass,
    mergeable: request.mergeable,
    pinnedTarget: request.pinnedTarget,
  };
}
