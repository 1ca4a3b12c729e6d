/** What a tier may have saved of its floor. */
const mostSaved = 4;

/**
 * The share of what is answered that each tier gets through whatever else is shed: for each answer a tier earns `share` of a
 * request, and may save a few. Nothing is earned while nothing is answered, so that the floors never fill a backend that is stuck.
 */
export class Floors {
  readonly #share: number;
  readonly #from: Float64Array;
  #answers = 0;

  /** All floors together take at most a tenth. */
  constructor(tiers: number, share = 0.02) {
    this.#share = Math.min(share, 0.1 / Math.max(tiers, 1));
    this.#from = new Float64Array(tiers);
  }

  get share(): number {
    return this.#share;
  }

  answered(): void {
    this.#answers += 1;
  }

  /** True when the tier had earned a request, which is thereby spent. */
  take(tier: number): boolean {
    const from = Math.max(this.#from[tier] ?? Infinity, this.#answers - mostSaved / this.#share);
    if ((this.#answers - from) * this.#share < 1) return false;
    this.#from[tier] = from + 1 / this.#share;
    return true;
  }
}
