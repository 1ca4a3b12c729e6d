/** What came is forgotten by this factor every `tickMs`: over about 400 ms, and over about 4 s. */
const keptFast = 0.95;
const keptSlow = 0.995;
const tickMs = 20;
const perMsFast = perMsOf(keptFast);
const perMsSlow = perMsOf(keptSlow);
/** So far ahead it is believed to go on as it is now; further only as it has been for long. */
const fastHorizonMs = 800;
/** For the slower mean: from here on it needs no correction for having begun, and no correction makes it one of less than this. */
const longTicks = 1_500;
const fewestTicks = 75;
/** Classes of the time from arrival to due time, a factor of 2 apart. */
const classes = 16;
/** Upper end of class 0, as a power of two, ms. */
const leastOctave = 2;

/** How long what came is remembered, ms: the shorter of the two. */
export const inflowMemoryMs = 1 / perMsFast;

/** What comes to one band. */
class BandInflow {
  readonly fast = new Float64Array(classes);
  readonly slow = new Float64Array(classes);
  /** Sums of rows x time until due, of what `fast` remembers. */
  readonly budgetMs = new Float64Array(classes);
  fastRows = 0;
  slowRows = 0;

  age(fast: number, slow: number): void {
    for (let index = 0; index < classes; index++) {
      this.fast[index] = (this.fast[index] ?? 0) * fast;
      this.budgetMs[index] = (this.budgetMs[index] ?? 0) * fast;
      this.slow[index] = (this.slow[index] ?? 0) * slow;
    }
    this.fastRows *= fast;
    this.slowRows *= slow;
  }
}

/**
 * Rows that are let in, by band and by the time they have until they are due, as rates: what will come before a request while it
 * waits. Higher bands go before it whenever they come, and of its own band who has less time:
 *
 *     higher bands  rate x wait                    (Cobham 1954: a wait W becomes W / (1 - rho of the higher bands))
 *     its own       rate of those with a budget of b x min(wait, its own budget - b)
 *
 * A burst is no rate: beyond `fastHorizonMs` only as much is believed as has come over some seconds.
 *
 * Memory: 400 bytes for each band that is used.
 */
export class Inflow {
  readonly #bands: (BandInflow | undefined)[] = [];
  #tick = -Infinity;
  #ticks = 0;
  #rows = 0;
  #squares = 0;

  /** `budgetMs`: from arrival until it is due. */
  entered(band: number, rows: number, budgetMs: number, nowMs: number): void {
    if (!(rows > 0)) return;
    this.#age(nowMs);
    const inflow = (this.#bands[band] ??= new BandInflow());
    const at = classOf(budgetMs);
    inflow.fast[at] = (inflow.fast[at] ?? 0) + rows;
    inflow.slow[at] = (inflow.slow[at] ?? 0) + rows;
    inflow.budgetMs[at] = (inflow.budgetMs[at] ?? 0) + rows * budgetMs;
    inflow.fastRows += rows;
    inflow.slowRows += rows;
    this.#rows += rows;
    this.#squares += rows * rows;
  }

  /** Rows in which it comes: how large the request is that the mean row belongs to. */
  get grainRows(): number {
    return this.#rows > 0 ? this.#squares / this.#rows : 1;
  }

  /** Rows a millisecond of all bands. */
  rowsPerMs(nowMs: number): number {
    this.#age(nowMs);
    return this.#rows * perMsFast;
  }

  /** Of the bands above this one, 0 being the highest, what has come for some seconds: no burst. */
  lastingPerMsAbove(band: number, nowMs: number): number {
    this.#age(nowMs);
    const slowScale = this.#slowScale();
    let perMs = 0;
    for (let above = 0; above < band && above < this.#bands.length; above++) {
      const inflow = this.#bands[above];
      if (inflow !== undefined) perMs += Math.min(inflow.fastRows * perMsFast, inflow.slowRows * slowScale);
    }
    return perMs;
  }

  /** Of all that comes what may go before others: but for those of the lowest band who have the most time. */
  rowsPerMsBeforeOthers(nowMs: number): number {
    this.#age(nowMs);
    const lowest = this.#bands.at(-1);
    if (lowest === undefined) return 0;
    let last = classes - 1;
    while (last > 0 && (lowest.fast[last] ?? 0) < 1e-3) last--;
    return Math.max(0, this.#rows - (lowest.fast[last] ?? 0)) * perMsFast;
  }

  /**
   * Rows of the bands above that come within `withinMs`, and before aging has moved one that waits up to them: a band each `agingMs`. More than
   * `mostPerMs` does not come for long: it is refused.
   */
  above(band: number, withinMs: number, agingMs: number, mostPerMs: number, nowMs: number): number {
    this.#age(nowMs);
    const slowScale = this.#slowScale();
    let rows = 0;
    for (let above = 0; above < band && above < this.#bands.length; above++) {
      const inflow = this.#bands[above];
      if (inflow === undefined) continue;
      const forMs = Math.min(withinMs, (band - above) * agingMs);
      rows += rowsWithin(forMs, Math.min(inflow.fastRows * perMsFast, mostPerMs), inflow.slowRows * slowScale);
    }
    return rows;
  }

  /** Rows of the band that come within `withinMs` and are due before one that comes now and has `budgetMs`. */
  sooner(band: number, budgetMs: number, withinMs: number, nowMs: number): number {
    this.#age(nowMs);
    const inflow = this.#bands[band];
    if (inflow === undefined) return 0;
    const slowScale = this.#slowScale();
    const own = classOf(budgetMs);
    let rows = 0;
    for (let index = 0; index <= own; index++) {
      const fast = inflow.fast[index] ?? 0;
      if (fast < 1e-3) continue;
      const forMs = Math.min(withinMs, budgetMs - (inflow.budgetMs[index] ?? 0) / fast);
      if (forMs > 0) rows += rowsWithin(forMs, fast * perMsFast, (inflow.slow[index] ?? 0) * slowScale);
    }
    return rows;
  }

  /** Until it has seen some seconds, the mean since it began; over less than 1.5 it is no mean. */
  #slowScale(): number {
    if (this.#ticks > longTicks) return perMsSlow;
    return perMsSlow / (1 - keptSlow ** Math.max(this.#ticks, fewestTicks));
  }

  #age(nowMs: number): void {
    const tick = Math.floor(nowMs / tickMs);
    if (!(tick > this.#tick)) return;
    if (this.#tick > -Infinity) {
      const elapsed = tick - this.#tick;
      const fast = keptFast ** elapsed;
      const slow = keptSlow ** elapsed;
      for (const band of this.#bands) band?.age(fast, slow);
      this.#rows *= fast;
      this.#squares *= fast;
      this.#ticks += elapsed;
    }
    this.#tick = tick;
  }
}

function rowsWithin(withinMs: number, fastPerMs: number, slowPerMs: number): number {
  if (withinMs <= fastHorizonMs) return fastPerMs * withinMs;
  return fastPerMs * fastHorizonMs + Math.min(fastPerMs, slowPerMs) * (withinMs - fastHorizonMs);
}

/** Part of the time that each millisecond remembered stands for, where rows come evenly. */
function perMsOf(kept: number): number {
  return (2 * (1 - kept)) / (1 + kept) / tickMs;
}

function classOf(budgetMs: number): number {
  if (!(budgetMs > 0)) return 0;
  return Math.min(Math.max(Math.ceil(Math.log2(budgetMs)) - leastOctave, 0), classes - 1);
}
