import { CellBlocks } from './cells.js';
import type { Cells } from './cells.js';

/** What a limit on amounts per second looks like to the step that checks all limits of a request before it charges any. */
export interface Bucket {
  /** True when `amount` would pass; charges nothing. */
  allows(amount: number, nowMs: number): boolean;
  /** Charges, whether allowed or not: only after every bucket of the request allowed it. */
  charge(amount: number, nowMs: number): void;
  /** Returns what a later step refused. */
  giveBack(amount: number, nowMs: number): void;
  /** Milliseconds until `amount` would pass if nothing else came; 0: now, Infinity: never. */
  waitMs(amount: number, nowMs: number): number;
  /** A new policy: what is left stays as it is, no more than the new burst, so that a reload gives nothing away. */
  refit(ratePerSecond: number, burst: number, nowMs: number): void;
  /** What could be taken at once; negative while a large request is paid off. */
  left(nowMs: number): number;
  /** True when it would pass on what is paid for already, whatever others say; always, where nobody else has a say. */
  covered(amount: number, nowMs: number): boolean;
  /** True when forgetting the bucket would change nothing: it is full and owes nobody. */
  atRest(nowMs: number): boolean;
}

/** A request that comes a microsecond early passes: floating point must not turn away a client that waited as it was told. */
const toleranceMs = 1e-3;

/** What is left and since when, rate and burst: the two buckets of a tenant lie in one line of the cache. */
const blocks = new CellBlocks(4);

/**
 * The generic cell rate algorithm in its second form, the continuous-state leaky bucket (ITU-T I.371 (03/2004), annex A; ATM Forum
 * TM 4.1, section 4.4.2), for amounts in place of cells. Two numbers of state: what is left, and when that was.
 *
 *     left(t) = min(burst, left + (t - at) x rate)
 *     an amount n passes when left(t) >= min(n, burst), and takes n
 *
 * An amount above the burst passes when the bucket is full and leaves a debt, e.g. rate 100/s, burst 50, amount 80: left is -30 and
 * the next single one passes 310 ms later. The long run is exact, and no amount is refused for good. A rate of 0 with a burst is an
 * allowance that never comes back; of 0 without one, nothing passes.
 */
export class GcraBucket implements Bucket {
  readonly #cells: Float64Array;
  readonly #at: number;

  constructor(ratePerSecond: number, burst: number, nowMs: number) {
    const { cells, at }: Cells = blocks.next();
    this.#cells = cells;
    this.#at = at;
    this.#ratePerMs = notNegative(ratePerSecond) / 1000;
    this.#burst = notNegative(burst);
    this.#left = this.#burst;
    this.#atMs = nowMs;
  }

  allows(amount: number, nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#left + this.#ratePerMs * toleranceMs >= this.#needed(amount);
  }

  charge(amount: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#left -= notNegative(amount);
  }

  giveBack(amount: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#left = Math.min(this.#burst, this.#left + notNegative(amount));
  }

  waitMs(amount: number, nowMs: number): number {
    this.#refill(nowMs);
    const missing = this.#needed(amount) - this.#left;
    return missing <= 0 ? 0 : missing / this.#ratePerMs;
  }

  refit(ratePerSecond: number, burst: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#ratePerMs = notNegative(ratePerSecond) / 1000;
    this.#burst = notNegative(burst);
    this.#left = Math.min(this.#left, this.#burst);
  }

  left(nowMs: number): number {
    this.#refill(nowMs);
    return this.#left;
  }

  covered(amount: number, nowMs: number): boolean {
    return this.allows(amount, nowMs);
  }

  /** Sets what is left, where somebody else knows better. */
  set(left: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#left = Math.min(this.#burst, left);
  }

  atRest(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#left >= this.#burst;
  }

  /** A clock that went back is taken to stand still. */
  #refill(nowMs: number): void {
    const elapsedMs = nowMs - this.#atMs;
    if (!(elapsedMs > 0)) return;
    this.#left = Math.min(this.#burst, this.#left + elapsedMs * this.#ratePerMs);
    this.#atMs = nowMs;
  }

  get #left(): number {
    return this.#cells[this.#at] ?? 0;
  }
  set #left(value: number) {
    this.#cells[this.#at] = value;
  }
  get #atMs(): number {
    return this.#cells[this.#at + 1] ?? 0;
  }
  set #atMs(value: number) {
    this.#cells[this.#at + 1] = value;
  }
  get #ratePerMs(): number {
    return this.#cells[this.#at + 2] ?? 0;
  }
  set #ratePerMs(value: number) {
    this.#cells[this.#at + 2] = value;
  }
  get #burst(): number {
    return this.#cells[this.#at + 3] ?? 0;
  }
  set #burst(value: number) {
    this.#cells[this.#at + 3] = value;
  }

  #needed(amount: number): number {
    const wanted = notNegative(amount);
    return this.#ratePerMs > 0 ? Math.min(wanted, this.#burst) : wanted;
  }
}

/** NaN and negative amounts would mint tokens. */
export function notNegative(value: number): number {
  return value > 0 ? value : 0;
}
