/** A token bucket: `burst` at once, then `perS` a second. E.g. 1,000 and 100: 1,600 within six seconds at most. */
export class Allowance {
  readonly #burst: number;
  readonly #perMs: number;
  #left: number;
  #filledAtMs: number;

  constructor(burst: number, perS: number, nowMs: number) {
    this.#burst = burst;
    this.#perMs = perS / 1000;
    this.#left = burst;
    this.#filledAtMs = nowMs;
  }

  /** False when the bucket is empty. */
  take(nowMs: number): boolean {
    this.#left = Math.min(this.#burst, this.#left + (nowMs - this.#filledAtMs) * this.#perMs);
    this.#filledAtMs = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  /** Earned by useful work; never above the burst. */
  give(): void {
    if (this.#left < this.#burst) this.#left = Math.min(this.#burst, this.#left + 1);
  }
}
