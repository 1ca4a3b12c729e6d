import { DueRing } from '../arrival/due-ring.js';
import type { Pace } from '../arrival/order.js';
import type { WaitingWork } from '../arrival/waiting-work.js';
import { bandOf, bands } from '../arrival/waiting-work.js';
import type { BatchRequest } from '../types.js';
import type { Account, BandWork, Seat } from './account.js';
import { Demand, newShare } from './demand.js';
import type { Lifts } from './lifts.js';

/** Emptied rings that are kept for the next tenants. */
const maxSpareRings = 64;

/**
 * What is served before a request where tenants take turns: the bands above it, of its own tenant what is due before it,
 * and of each other tenant no more for its weight than that. Bands that aging has made one are one here too.
 *
 * E.g. 1000 rows of a heavy tenant wait, and one of another of the same weight comes: one row of the heavy one may be served
 * before it, not a thousand.
 *
 * Of what comes meanwhile it is assumed that others bring what they brought of late: a tenant with a long queue waits for all
 * that light ones bring until then. Debts of others (at most a batch each) are left out, and so are the batches by
 * which they may overdraw: on average the one is the other.
 *
 * Memory: 1 KiB for each tenant and band in which something of it waits, some numbers for each tenant that is remembered.
 */
export class TenantWork<S extends Seat> {
  readonly #all: WaitingWork;
  readonly #lifts: Lifts;
  readonly #demands: (Demand | undefined)[] = [];
  readonly #spareRings: DueRing[] = [];

  /** `all`: what waits of all tenants together, kept up by the caller. */
  constructor(all: WaitingWork, lifts: Lifts) {
    this.#all = all;
    this.#lifts = lifts;
  }

  entered(account: Account<S>, request: BatchRequest): void {
    const band = bandOf(request);
    const work = workOf(account, band);
    const ring = (work.ring ??= this.#spareRings.pop() ?? new DueRing());
    ring.fold(this.#all.firstBucket(request.arrivedMs));
    ring.add(this.#all.bucketOf(request), request.rows);
    (this.#demands[band] ??= new Demand()).add(work.share, request.rows, account.weight);
  }

  left(account: Account<S>, request: BatchRequest): void {
    const band = bandOf(request);
    const work = account.bands[band];
    if (work?.ring === undefined) return;
    work.ring.add(this.#all.bucketOf(request), -request.rows);
    this.#demands[band]?.add(work.share, -request.rows, account.weight);
    if (work.ring.total > 0) return;
    if (this.#spareRings.length < maxSpareRings) this.#spareRings.push(work.ring);
    work.ring = undefined;
  }

  /** The tenant is charged for a request. */
  served(account: Account<S>, request: BatchRequest, ms: number): void {
    const band = bandOf(request);
    this.#demands[band]?.serve(workOf(account, band).share, ms);
  }

  forgotten(account: Account<S>): void {
    account.bands.forEach((work, band) => {
      if (work !== undefined) this.#demands[band]?.remove(work.share);
    });
  }

  usedShare(nowMs: number, { speed }: Pace): number {
    let ms = 0;
    for (const demand of this.#demands) ms += demand?.servedPerMs(nowMs) ?? 0;
    return ms / speed;
  }

  /** `besideRows`: what waits in its lane; `debtMs`: what the tenant has had and not paid for yet. */
  rowsAhead(account: Account<S>, request: BatchRequest, besideRows: number, debtMs: number, nowMs: number, pace: Pace): number {
    const band = bandOf(request);
    const size = Math.max(request.rows, 1);
    const first = this.#all.firstBucket(nowMs);
    const mine = account.bands[band];
    mine?.ring?.fold(first);
    // The bands that are one with its own: `from` to `to`.
    let [from, to] = [band, band];
    while (from > 0 && this.#sameTurns(from - 1, band)) from -= 1;
    while (to < bands - 1 && this.#sameTurns(to + 1, band)) to += 1;
    let own = (mine?.ring?.through(this.#all.bucketOf(request)) ?? 0) + overdueOf(account.bands[band + 1], first);
    for (let above = from; above < band; above++) own += account.bands[above]?.ring?.total ?? 0;
    // In a lane with few rows its batches are small, and each row pays for more of the overhead.
    const rowMs = pace.overheadMs / Math.max(besideRows, size) + pace.perRowMs;
    const rowsPerServiceMs = pace.rowsPerMs / pace.speed;
    // For its own last request it need not have anything left but a part of a round: it may overdraw.
    const paidRows = own * Math.max(1, rowMs * rowsPerServiceMs) + size;
    const demand = this.#demands[band];
    // Who takes less than its share owes for a burst only: batches that are not full carry it before its turn.
    const owes = mine !== undefined && demand?.isOverShare(mine.share, nowMs, pace) === true;
    const perWeight = (paidRows + (owes ? debtMs * rowsPerServiceMs : 0)) / account.weight;
    let fixed = this.#all.rowsAbove(from) + own + size;
    for (let other = from; other <= to; other++) if (other !== band) fixed += this.#others(account, other, perWeight);
    if (demand === undefined) return fixed - size;
    return demand.served(mine?.share, perWeight, fixed, nowMs, pace) - size;
  }

  #sameTurns(band: number, asBand: number): boolean {
    return this.#lifts.any && this.#lifts.of(band + 1) === this.#lifts.of(asBand + 1);
  }

  /** Rows of other tenants that are served of a band until each has had `perWeight` for its weight. */
  #others(account: Account<S>, band: number, perWeight: number): number {
    const mine = Math.min(account.bands[band]?.share.waiting ?? 0, perWeight * account.weight);
    return Math.max(0, (this.#demands[band]?.upTo(perWeight) ?? 0) - mine);
  }
}

function workOf<S extends Seat>(account: Account<S>, band: number): BandWork {
  return (account.bands[band] ??= { share: newShare(account.weight), ring: undefined });
}

function overdueOf(work: BandWork | undefined, first: number): number {
  work?.ring?.fold(first);
  return work?.ring?.overdue ?? 0;
}
