import type { BatchRequest } from '../types.js';
import type { LaneIdentity, Waiting } from './lane.js';
import { Lane } from './lane.js';

/**
 * All lanes of one model. A lane exists while something waits in it: what has run leaves no trace, so that a client who
 * varies shapes or parameters costs memory only for what it has in the queue.
 *
 * A request knows its own place (BatchRequest.place): a Map of all that wait, which changes with each request, would take
 * requests that are long answered with it into V8's old generation (see StreamTable of services/wire).
 */
export class LaneSet<R extends BatchRequest> {
  readonly #lanes = new Map<string, Lane<R>>();
  /** The one that was emptied last: mostly the next that is needed. */
  #spare: Lane<R> | undefined;
  #last: { readonly lane: string; readonly identity: LaneIdentity } | undefined;
  #requests = 0;
  #rows = 0;
  #order = 0;

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

  push(request: R, band: number, agingMs: number): Lane<R> {
    const identity = this.#identityOf(request);
    let lane = this.#lanes.get(identity.key);
    if (lane === undefined) {
      lane = this.#spare?.key === identity.key ? this.#spare : new Lane<R>(identity);
      this.#lanes.set(identity.key, lane);
    }
    request.place = lane.push(request, this.#order++, band, agingMs);
    this.#requests += 1;
    this.#rows += request.rows;
    return lane;
  }

  cancel(request: R): boolean {
    // Only push above writes it.
    const waiting = request.place as Waiting<R> | undefined;
    if (waiting === undefined || this.#lanes.get(waiting.lane.key) !== waiting.lane || !waiting.lane.remove(waiting)) return false;
    this.#left(waiting.lane, [request]);
    return true;
  }

  take(lane: Lane<R>, maxRows: number): R[] {
    return this.#left(lane, lane.take(maxRows));
  }

  takeTail(lane: Lane<R>, maxRows: number, earliestDeadlineMs: number): R[] {
    return this.#left(lane, lane.takeTail(maxRows, earliestDeadlineMs));
  }

  takeExpired(lane: Lane<R>, throughMs: number): R | undefined {
    const request = lane.takeExpired(throughMs);
    if (request !== undefined) this.#left(lane, [request]);
    return request;
  }

  takeExpiredHead(lane: Lane<R>, throughMs: number, leastBudgetMs: number): R | undefined {
    const request = lane.takeExpiredHead(throughMs, leastBudgetMs);
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

  #left(lane: Lane<R>, requests: R[]): R[] {
    for (const request of requests) {
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
