import { GcraBucket, notNegative } from '../bucket.js';
import type { Bucket } from '../bucket.js';
import { CellBlocks } from '../cells.js';
import { leaseTerms } from './terms.js';
import type { BucketAsk, LeaseAnswer } from '../../../domain/lease-store.js';

/** One for each number below. */
const blocks = new CellBlocks(13);

/**
 * A bucket that the fleet shares, as one gateway sees it: what it holds on lease, and a local share for what no lease covers. The share
 * is a bucket of its own, set anew by each answer to this gateway's part of what the shared one held, so what all gateways together
 * admit between two answers is what the shared bucket would have. With no answers (Redis is slow or gone) it runs on by itself at this
 * gateway's part of the rate. What it gave is owed: reported with the next ask and debited from the shared bucket.
 *
 *                     lease > 0: paid for, used first
 *     #inHand  ------ 0
 *                     owed < 0: admitted from the share, not yet reported; no deeper than the share can give during one exchange
 */
export class LeasedBucket implements Bucket {
  readonly name: string;
  readonly #share: GcraBucket;
  /** Set by the first answer. */
  #known = false;
  readonly #cells: Float64Array;
  readonly #at: number;

  constructor(name: string, ratePerSecond: number, burst: number, nowMs: number) {
    this.name = name;
    const { cells, at } = blocks.next();
    this.#cells = cells;
    this.#at = at;
    this.#part = leaseTerms.firstShare;
    this.#ratePerSecond = notNegative(ratePerSecond);
    this.#burst = fleetBurst(ratePerSecond, burst);
    this.#share = new GcraBucket(this.#part * this.#ratePerSecond, this.#part * this.#burst, nowMs);
    this.#askedSinceMs = nowMs;
    this.#answeredAtMs = nowMs;
  }

  allows(amount: number, nowMs: number): boolean {
    this.#asked += notNegative(amount);
    return this.#share.allows(this.#uncovered(amount, nowMs), nowMs) || this.covered(amount, nowMs);
  }

  covered(amount: number, nowMs: number): boolean {
    return this.#uncovered(amount, nowMs) === 0;
  }

  charge(amount: number, nowMs: number): void {
    const cost = notNegative(amount);
    this.#share.charge(this.#uncovered(cost, nowMs), nowMs);
    // More than this only an outage admits, and it is refilled by the time that takes.
    const deepest = Math.min(this.#inHand, -Math.max(cost, this.#mostOwed()));
    const left = Math.max(this.#inHand - cost, deepest);
    this.#total += this.#inHand - left;
    this.#inHand = left;
  }

  giveBack(amount: number, nowMs: number): void {
    const cost = notNegative(amount);
    this.#share.giveBack(Math.min(cost, Math.max(0, -this.#inHand)), nowMs);
    this.#inHand += cost;
    this.#total -= cost;
  }

  waitMs(amount: number, nowMs: number): number {
    return this.covered(amount, nowMs) ? 0 : this.#share.waitMs(this.#uncovered(amount, nowMs), nowMs);
  }

  refit(ratePerSecond: number, burst: number, nowMs: number): void {
    this.#ratePerSecond = notNegative(ratePerSecond);
    this.#burst = fleetBurst(ratePerSecond, burst);
    this.#share.refit(this.#part * this.#ratePerSecond, this.#part * this.#burst, nowMs);
  }

  left(nowMs: number): number {
    this.#expire(nowMs);
    return Math.max(0, this.#inHand) + this.#share.left(nowMs);
  }

  /** The store has forgotten this gateway too: a state made anew starts like this one. */
  atRest(nowMs: number): boolean {
    this.#expire(nowMs);
    return this.#inHand >= 0 && nowMs >= this.#leaseUntilMs && this.#share.atRest(nowMs);
  }

  /** Something to report, or too little in hand for what is asked. */
  needsExchange(): boolean {
    return this.#inHand < 0 || (this.#asked > 0 && this.#inHand <= this.#want / 2);
  }

  /** Holds what it may not need: to be renewed or returned before it expires. */
  renewalDue(nowMs: number): boolean {
    return this.#inHand > 0 && nowMs >= this.#renewAtMs;
  }

  get holds(): boolean {
    return this.#inHand > 0;
  }

  get usePerSecond(): number {
    return this.#usePerSecond;
  }

  /** What to ask for. What is in hand above the wish must not be used from here on: it may be somebody else's already. */
  beginExchange(nowMs: number, afterFailure = false): BucketAsk {
    this.#expire(nowMs);
    if (!afterFailure && this.#known && nowMs >= this.#leaseUntilMs) this.#startAnew(nowMs);
    if (afterFailure && nowMs - this.#answeredAtMs >= leaseTerms.outageMs) this.#forgive(nowMs);
    const elapsedMs = Math.max(0, nowMs - this.#askedSinceMs);
    const asked = this.#asked;
    this.#usePerSecond = smoothed(this.#usePerSecond, asked, elapsedMs);
    this.#asked = 0;
    this.#askedSinceMs = nowMs;
    this.#want = asked === 0 ? 0 : Math.min((this.#usePerSecond * leaseTerms.horizonMs) / 1000, (this.#part * this.#burst) / 2);
    this.#inHand = Math.min(this.#inHand, this.#want);
    this.#sentTotal = this.#total;
    const owed = Math.max(0, -this.#inHand);
    const shareBurst = this.#part * this.#burst;
    // Before what is owed, which the store takes off itself.
    const initial = this.#known && shareBurst > 0 ? ((this.#share.left(nowMs) + owed) / shareBurst) * this.#burst : this.#burst;
    return {
      name: this.name,
      ratePerSecond: this.#ratePerSecond,
      burst: this.#burst,
      total: this.#total,
      owed,
      want: this.#want,
      usePerSecond: this.#usePerSecond,
      initial: Math.min(this.#burst, initial),
    };
  }

  endExchange(answer: LeaseAnswer, sentAtMs: number, nowMs: number): void {
    this.#known = true;
    this.#answeredAtMs = nowMs;
    this.#inHand = answer.lease - (this.#total - this.#sentTotal);
    // Counted from before the store counted from, so it ends here first.
    this.#leaseUntilMs = sentAtMs + leaseTerms.ttlMs;
    this.#renewAtMs = sentAtMs + leaseTerms.renewAfterMs;
    this.#part = answer.share;
    this.#share.refit(this.#part * this.#ratePerSecond, this.#part * this.#burst, nowMs);
    const level = answer.level < 0 ? answer.level * this.#part : this.#part * Math.min(answer.level, this.#burst);
    this.#share.set(level - Math.max(0, -this.#inHand), nowMs);
  }

  #uncovered(amount: number, nowMs: number): number {
    this.#expire(nowMs);
    return Math.max(0, notNegative(amount) - Math.max(0, this.#inHand));
  }

  #expire(nowMs: number): void {
    if (this.#inHand > 0 && nowMs >= this.#leaseUntilMs) this.#inHand = 0;
  }

  // First what each request touches.
  get #inHand(): number {
    return this.#cells[this.#at + 0] ?? 0;
  }
  set #inHand(value: number) {
    this.#cells[this.#at + 0] = value;
  }
  get #leaseUntilMs(): number {
    return this.#cells[this.#at + 1] ?? 0;
  }
  set #leaseUntilMs(value: number) {
    this.#cells[this.#at + 1] = value;
  }
  get #asked(): number {
    return this.#cells[this.#at + 2] ?? 0;
  }
  set #asked(value: number) {
    this.#cells[this.#at + 2] = value;
  }
  get #total(): number {
    return this.#cells[this.#at + 3] ?? 0;
  }
  set #total(value: number) {
    this.#cells[this.#at + 3] = value;
  }
  get #part(): number {
    return this.#cells[this.#at + 4] ?? 0;
  }
  set #part(value: number) {
    this.#cells[this.#at + 4] = value;
  }
  get #burst(): number {
    return this.#cells[this.#at + 5] ?? 0;
  }
  set #burst(value: number) {
    this.#cells[this.#at + 5] = value;
  }
  get #ratePerSecond(): number {
    return this.#cells[this.#at + 6] ?? 0;
  }
  set #ratePerSecond(value: number) {
    this.#cells[this.#at + 6] = value;
  }
  get #want(): number {
    return this.#cells[this.#at + 7] ?? 0;
  }
  set #want(value: number) {
    this.#cells[this.#at + 7] = value;
  }
  get #renewAtMs(): number {
    return this.#cells[this.#at + 8] ?? 0;
  }
  set #renewAtMs(value: number) {
    this.#cells[this.#at + 8] = value;
  }
  get #sentTotal(): number {
    return this.#cells[this.#at + 9] ?? 0;
  }
  set #sentTotal(value: number) {
    this.#cells[this.#at + 9] = value;
  }
  get #askedSinceMs(): number {
    return this.#cells[this.#at + 10] ?? 0;
  }
  set #askedSinceMs(value: number) {
    this.#cells[this.#at + 10] = value;
  }
  get #usePerSecond(): number {
    return this.#cells[this.#at + 11] ?? 0;
  }
  set #usePerSecond(value: number) {
    this.#cells[this.#at + 11] = value;
  }
  get #answeredAtMs(): number {
    return this.#cells[this.#at + 12] ?? 0;
  }
  set #answeredAtMs(value: number) {
    this.#cells[this.#at + 12] = value;
  }

  /** The store has forgotten this gateway, and others may have its share: an outage that begins now must not find it with both. */
  #startAnew(nowMs: number): void {
    this.#part = Math.min(this.#part, leaseTerms.firstShare);
    this.#share.refit(this.#part * this.#ratePerSecond, this.#part * this.#burst, nowMs);
  }

  /** What an outage admitted was refilled by the time it took, as far as the local share says so: only what is missing there is owed. */
  #forgive(nowMs: number): void {
    const missing = Math.max(0, this.#part * this.#burst - this.#share.left(nowMs));
    const forgiven = Math.max(0, -this.#inHand - missing);
    this.#inHand += forgiven;
    this.#total -= forgiven;
  }

  #mostOwed(): number {
    return this.#part * (this.#burst + (this.#ratePerSecond * leaseTerms.timeoutMs) / 1000);
  }
}

/** A fleet's gateways cannot share out less than what flows while their leases go to and fro. */
export function fleetBurst(ratePerSecond: number, burst: number): number {
  return Math.max(notNegative(burst), (notNegative(ratePerSecond) * leaseTerms.horizonMs) / 1000);
}

/** An exponential average over time, fed with an amount for a stretch of time of any length. */
function smoothed(perSecond: number, amount: number, elapsedMs: number): number {
  const stretchMs = Math.max(1, elapsedMs);
  const kept = Math.exp(-stretchMs / leaseTerms.memoryMs);
  return kept * perSecond + (1 - kept) * ((amount / stretchMs) * 1000);
}
