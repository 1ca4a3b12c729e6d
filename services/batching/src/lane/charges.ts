import type { BatchRequest, CostBook, RunReport, TargetSnapshot } from '../types.js';
import { referenceMs } from './reference-cost.js';

/** Before anything ran: any number will do, as it is the same for all. */
const firstPerRowMs = 1;
/** Weight of a run in the mean time per row that stands in for a cost that is not known. */
const gain = 0.1;
/** A run that took longer than this many times what was predicted was held up, by what is not its tenants' doing. */
const mostOverrun = 4;

/** Who has to pay. */
export interface Payers<R extends BatchRequest> {
  /** False while there is nobody to be fair to. */
  readonly plural: boolean;
  /** Shares `ms` out among the tenants of the requests by their rows; negative gives back. */
  charge(requests: readonly R[], ms: number): void;
}

/** What was charged for a run. */
export interface Charge {
  /** 0: nobody was. */
  readonly ms: number;
  /** What the run was expected to take on its target, ms; 0 when that was not known. */
  readonly expectedMs: number;
}

const nothing: Charge = { ms: 0, expectedMs: 0 };

/**
 * What tenants pay for what runs: each the share of its batch's time that its rows are. Overhead included, so that
 * the charges add up to the time that was used, and who needs many small batches (many shapes, many parameters) pays for
 * them; a row that rides in a large batch is cheap for whoever's it is.
 *
 * E.g. a = 10 ms, k = 0.1 ms: 24 rows of one tenant and 8 of another in 13.2 ms are 9.9 and 3.3 ms; alone the 8 would have cost 10.8.
 *
 * Charged when the run starts, as predicted for the quickest target; corrected when it ends, by as much as it was faster
 * or slower than predicted where it ran.
 */
export class Charges<R extends BatchRequest> {
  readonly #payers: Payers<R>;
  readonly #costs: Pick<CostBook, 'estimate'>;
  #meanPerRowMs = firstPerRowMs;

  constructor(payers: Payers<R>, costs: Pick<CostBook, 'estimate'>) {
    this.#payers = payers;
    this.#costs = costs;
  }

  /** What a row is charged while a batch of about `rows` is put together; 0 while there is nobody to share with. */
  perRowMs(shapeClass: string, rows: number, targets: readonly TargetSnapshot[]): number {
    if (!this.#payers.plural) return 0;
    const runMs = referenceMs(shapeClass, rows, targets, this.#costs);
    return runMs > 0 ? runMs / rows : this.#meanPerRowMs;
  }

  /** The batch is known now, and with it what its rows cost; `paidPerRowMs` has been charged for each already. */
  started(
    members: readonly R[],
    shapeClass: string,
    target: TargetSnapshot,
    targets: readonly TargetSnapshot[],
    paidPerRowMs: number,
  ): Charge {
    if (!this.#payers.plural) return nothing;
    let rows = 0;
    let places = 0;
    for (const member of members) {
      rows += member.rows;
      places += Math.max(member.rows, 1);
    }
    const knownMs = referenceMs(shapeClass, rows, targets, this.#costs);
    const ms = knownMs > 0 ? knownMs : this.#meanPerRowMs * places;
    this.#payers.charge(members, ms - paidPerRowMs * places);
    return { ms, expectedMs: this.#costs.estimate(shapeClass, target.podClass).predictMs(rows) };
  }

  /** A run of which nothing is known, as it failed, keeps its charge: it took its time too. */
  ended(members: readonly R[], rows: number, charge: Charge, { runMs, ranRows }: RunReport): void {
    if (charge.ms === 0 || runMs === undefined || !(runMs >= 0 && runMs < Infinity)) return;
    const ran = Math.max(ranRows, rows, 1);
    this.#meanPerRowMs += (runMs / ran - this.#meanPerRowMs) * gain;
    const oursMs = (runMs * Math.max(rows, 1)) / ran;
    const overrun = oursMs / (charge.expectedMs > 0 ? charge.expectedMs : charge.ms);
    this.#payers.charge(members, charge.ms * (Math.min(overrun, mostOverrun) - 1));
  }
}
