/** A class of requests that are shed alike: made once per band and tier, and passed along. */
export interface AdmissionClass {
  /** Place in the order in which classes are served: band first, then the tier's weight. 0 is shed last. */
  readonly rank: number;
  readonly tier: number;
}

/** Beyond this a table of classes is no small thing any more; the lowest tiers share one. */
const mostTiers = 64;

/**
 * All classes for `bands` bands and these tiers. The heavier tier of a band goes first; equal weights share a rank, so that
 * neither is shed before the other.
 */
export class AdmissionClasses {
  readonly #bands: number;
  readonly #tierOf = new Map<string, number>();
  readonly #classes: AdmissionClass[] = [];
  readonly ranks: number;
  readonly tiers: number;

  constructor(bands: number, tiers: readonly { readonly name: string; readonly weight: number }[]) {
    this.#bands = Math.min(Math.max(Math.trunc(bands), 1), 16);
    const weights = [...new Set(tiers.map(({ weight }) => weight))].toSorted((left, right) => right - left).slice(0, mostTiers);
    const levels = Math.max(weights.length, 1);
    tiers.forEach(({ name, weight }, index) => {
      const level = weights.indexOf(weight);
      this.#tierOf.set(name, index);
      for (let band = 0; band < this.#bands; band++)
        this.#classes[index * this.#bands + band] = {
          rank: band * levels + (level < 0 ? levels - 1 : level),
          tier: Math.min(index, mostTiers - 1),
        };
    });
    this.ranks = this.#bands * levels;
    this.tiers = Math.min(Math.max(tiers.length, 1), mostTiers);
  }

  /** `band` 1 is the highest. A tier that is not there counts as the first. */
  of(band: number, tier: string): AdmissionClass {
    const row = this.#tierOf.get(tier) ?? 0;
    const column = Math.min(Math.max(Math.trunc(band), 1), this.#bands) - 1;
    return this.#classes[row * this.#bands + column] ?? first;
  }
}

const first: AdmissionClass = { rank: 0, tier: 0 };
