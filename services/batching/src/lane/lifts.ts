/** A band below this is treated as this one: aging from it takes 16 agingMs at most. */
export const lowestBand = 16;

/**
 * In which band tenants take their turns, for each band that requests come in. Aging is for bands, not for tenants: while a request
 * of band b has waited so long that it is in band a by now, bands a to b are one, and whose turn it is decides among all who
 * wait in them. Were only that request in band a, then of two tenants in band b the one with the long queue would have all
 * of its old ones go before the other's new ones, and so be served beyond its share.
 *
 *     band that they came in       1   2   3   4
 *     oldest of band 3 is in 2     1   2   2   4      band they take turns in
 *     oldest of band 4 is in 1     1   1   1   1
 */
export class Lifts {
  /** Requests that aging moved up, by the band they came in and the one they are in. */
  readonly #raised = new Uint32Array((lowestBand + 1) * (lowestBand + 1));
  readonly #standing = Uint8Array.from({ length: lowestBand + 1 }, (_, band) => band);
  #all = 0;
  #stale = false;

  /** Whether anything is lifted at all. */
  get any(): boolean {
    return this.#all > 0;
  }

  /** The band in which those take turns who came in `band`; of a lower one it is the same or a lower one. */
  of(band: number): number {
    if (this.#stale) this.#renew();
    return this.#standing[band] ?? band;
  }

  /** Aging moved a request that came in band `came` from one band to another. */
  raised(came: number, from: number, to: number): void {
    if (from < came) this.#add(came, from, -1);
    this.#add(came, to, 1);
  }

  /** A request does not wait any longer. */
  left(came: number, band: number): void {
    if (band < came) this.#add(came, band, -1);
  }

  #add(came: number, band: number, change: 1 | -1): void {
    const at = came * (lowestBand + 1) + band;
    const count = (this.#raised[at] ?? 0) + change;
    this.#raised[at] = count;
    this.#all += change;
    if (count === 0 || count === change) this.#stale = true;
  }

  #renew(): void {
    this.#stale = false;
    let highest = lowestBand;
    for (let came = lowestBand; came > 0; came--) {
      for (let band = 1; band < Math.min(highest, came); band++)
        if ((this.#raised[came * (lowestBand + 1) + band] ?? 0) > 0) highest = band;
      this.#standing[came] = Math.min(came, highest);
    }
  }
}
