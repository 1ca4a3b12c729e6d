/** So much unused bypass time may be saved up: a burst of this length may take its share at once. */
const burstMs = 1_000;

/**
 * The cap on bypass: a token bucket of execution time. It fills at maxShare x targets ms per ms and holds what fills in
 * one second; each bypass takes its run time out and may go while anything is left, so that one run longer than the
 * bucket is possible now and then, but not on average.
 *
 * E.g. maxShare 0.2 and 2 targets: 400 ms of each second of their 2,000 ms. After a burst that used 400 ms, a bypass of
 * 15 ms every 37.5 ms goes on.
 */
export class BypassShare {
  #leftMs: number | undefined;
  #filledAtMs = 0;

  /** True while some of the share is left. */
  available(nowMs: number, maxShare: number, targets: number): boolean {
    const most = maxShare * targets * burstMs;
    const filled = (this.#leftMs ?? most) + (this.#leftMs === undefined ? 0 : (nowMs - this.#filledAtMs) * maxShare * targets);
    this.#leftMs = Math.min(most, filled);
    this.#filledAtMs = nowMs;
    return this.#leftMs > 0;
  }

  /** Takes execution time out; negative gives back what was predicted too high. */
  spend(runMs: number): void {
    this.#leftMs = (this.#leftMs ?? 0) - runMs;
  }
}
