import type { Pace } from '../arrival/order.js';

/** Classes of tenants by the rows that each has waiting for its weight, a factor of sqrt(2) apart; class 0 has none. */
const classes = 64;
const perOctave = 2;
/** Rows for a weight of 1 at the lower end of class 1: 2 ** -leastOctave. */
const leastOctave = 12;
/** What was served is forgotten by this factor every `tickMs`, that is over about 400 ms. */
const kept = 0.95;
const tickMs = 20;
/** Part of the time that each millisecond remembered stands for, where they come evenly. */
const perMs = (2 * (1 - kept)) / (1 + kept) / tickMs;
/** How long it is remembered, ms. */
const memoryMs = 1 / perMs;
const mostSteps = 6;
/** What comes meanwhile scatters, and so did what came before: this many standard deviations are allowed for. */
const deviations = 2;

/** What one tenant brings to one band; kept up by the Demand that it is part of. */
export interface Share {
  /** Rows that wait. */
  waiting: number;
  /** Of the service that it had, what is remembered as of `tick`, ms. */
  recentMs: number;
  tick: number;
  weight: number;
  /** -1: not part of it yet. */
  classIndex: number;
}

export function newShare(weight: number): Share {
  return { waiting: 0, recentMs: 0, tick: 0, weight, classIndex: -1 };
}

/**
 * What all tenants together ask of one band, for the question what they get while one of them waits: by turns each gets at most
 * so many rows for its weight as that one (x), and no more than it has and brings meanwhile, if it brings what it was served of late:
 *
 *     sum over tenants of  min(waiting + rate t, x weight)
 *
 * Not a walk through the tenants: they are summed up in classes of like waiting / weight. A sum of minima is at most the
 * minimum of the sums, and in a class whose members are within a factor of sqrt(2) exceeds it by less than a tenth (where
 * none comes meanwhile); below x all is counted as it is, above it as x times the weights.
 */
export class Demand {
  readonly #waiting = new Float64Array(classes);
  readonly #recentMs = new Float64Array(classes);
  readonly #weights = new Float64Array(classes);
  readonly #members = new Uint32Array(classes);
  #tick = -Infinity;
  /** In what pieces service is taken, as the mean over time, ms: a row that has a batch to itself is a large one. */
  #grainMs = 0;

  /** Rows of the tenant that came, or (negative) went. */
  add(share: Share, rows: number, weight: number): void {
    this.#take(share);
    share.waiting = Math.max(0, share.waiting + rows);
    share.weight = weight;
    this.#put(share);
  }

  /** The tenant is served for so many milliseconds; negative: it was less than was thought. */
  serve(share: Share, ms: number): void {
    if (ms > 0) this.#grainMs += (ms - this.#grainMs) * Math.min(1, ms * perMs);
    this.#take(share);
    share.recentMs = Math.max(0, share.recentMs + ms);
    this.#put(share);
  }

  /** The tenant is forgotten. */
  remove(share: Share): void {
    this.#take(share);
    share.classIndex = -1;
  }

  /**
   * Rows that are served before the tenant has had `perWeight` rows for its weight: the `fixedRows` and of the others what they
   * get until then.
   */
  served(own: Share | undefined, perWeight: number, fixedRows: number, nowMs: number, { speed, rowsPerMs }: Pace): number {
    this.#age(nowMs);
    const counted = own !== undefined && own.classIndex >= 0;
    if (counted) this.#take(own);
    let served = fixedRows;
    for (let index = 0; index < classes; index++) served += perWeight * (this.#weights[index] ?? 0);
    let spare = 0;
    let coming = 0;
    // Newton's method on a concave function from the right: each step is nearer, and none goes past.
    for (let step = 0; step < mostSteps; step++) {
      let sum = fixedRows;
      spare = 0;
      coming = 0;
      for (let index = 0; index < classes; index++) {
        if (this.#members[index] === 0) continue;
        const most = perWeight * (this.#weights[index] ?? 0);
        const waiting = this.#waiting[index] ?? 0;
        const rate = ((this.#recentMs[index] ?? 0) * perMs) / speed;
        if (waiting + rate * served >= most) sum += most;
        else {
          sum += waiting;
          coming += rate;
          spare += most - waiting;
        }
      }
      const next = coming < 1 ? sum / (1 - coming) : served;
      if (!(next < served - 0.5)) break;
      served = next;
    }
    if (counted) this.#put(own);
    const rows = coming * served;
    const grainRows = Math.max(1, (this.#grainMs * rowsPerMs) / speed);
    const overMs = rowsPerMs > 0 ? served / rowsPerMs : 0;
    return (
      served + Math.max(0, Math.min((deviations * Math.sqrt(rows * grainRows * (1 + overMs / memoryMs))) / (1 - coming), spare - rows))
    );
  }

  /** Whether the tenant had more of late than its share among those that are remembered. */
  isOverShare(share: Share, nowMs: number, { speed }: Pace): boolean {
    this.#age(nowMs);
    let weights = 0;
    for (let index = 0; index < classes; index++) weights += this.#weights[index] ?? 0;
    const recentMs = share.recentMs * kept ** (this.#tick - share.tick);
    return recentMs * perMs * weights > share.weight * speed;
  }

  /** Milliseconds of service a millisecond that tenants had of late. */
  servedPerMs(nowMs: number): number {
    this.#age(nowMs);
    let ms = 0;
    for (let index = 0; index < classes; index++) ms += this.#recentMs[index] ?? 0;
    return ms * perMs;
  }

  /** Rows that wait, of each tenant at most `perWeight` for its weight. */
  upTo(perWeight: number): number {
    let rows = 0;
    for (let index = 1; index < classes; index++) rows += Math.min(this.#waiting[index] ?? 0, perWeight * (this.#weights[index] ?? 0));
    return rows;
  }

  /** What was served is remembered less as time goes on. */
  #age(nowMs: number): void {
    const tick = Math.floor(nowMs / tickMs);
    if (!(tick > this.#tick)) return;
    const factor = this.#tick === -Infinity ? 0 : kept ** (tick - this.#tick);
    for (let index = 0; index < classes; index++) this.#recentMs[index] = (this.#recentMs[index] ?? 0) * factor;
    this.#tick = tick;
  }

  #take(share: Share): void {
    const { classIndex } = share;
    if (share.tick < this.#tick) {
      share.recentMs *= kept ** (this.#tick - share.tick);
      share.tick = this.#tick;
    }
    if (classIndex < 0) return;
    const members = (this.#members[classIndex] ?? 1) - 1;
    this.#members[classIndex] = members;
    // Sums of fractions do not come back to 0 by themselves.
    this.#waiting[classIndex] = members === 0 ? 0 : (this.#waiting[classIndex] ?? 0) - share.waiting;
    this.#recentMs[classIndex] = members === 0 ? 0 : Math.max(0, (this.#recentMs[classIndex] ?? 0) - share.recentMs);
    this.#weights[classIndex] = members === 0 ? 0 : Math.max(0, (this.#weights[classIndex] ?? 0) - share.weight);
  }

  #put(share: Share): void {
    const at = classOf(share.waiting / share.weight);
    share.classIndex = at;
    this.#members[at] = (this.#members[at] ?? 0) + 1;
    this.#waiting[at] = (this.#waiting[at] ?? 0) + share.waiting;
    this.#recentMs[at] = (this.#recentMs[at] ?? 0) + share.recentMs;
    this.#weights[at] = (this.#weights[at] ?? 0) + share.weight;
  }
}

function classOf(perWeight: number): number {
  if (!(perWeight > 0)) return 0;
  return Math.min(Math.max(1 + Math.floor((Math.log2(perWeight) + leastOctave) * perOctave), 1), classes - 1);
}
