import { CellBlocks } from '../cells.js';
import {
  gcraAllows,
  gcraAtRest,
  gcraBegin,
  gcraCharge,
  gcraGiveBack,
  gcraLeft,
  gcraRefit,
  gcraSet,
  gcraWaitMs,
  notNegative,
} from '../gcra.js';
import type { GcraLimit } from '../gcra.js';
import { leaseTerms } from './terms.js';
import type { BucketAsk, LeaseAnswer } from '../../../domain/lease-store.js';

/** The numbers of a bucket, at these places among its cells; first what each request touches. */
const cell = {
  share: 0,
  inHand: 2,
  leasedAtMs: 3,
  asked: 4,
  total: 5,
  part: 6,
  burst: 7,
  ratePerSecond: 8,
  want: 9,
  sentTotal: 10,
  askedSinceMs: 11,
  usePerSecond: 12,
  answeredAtMs: 13,
} as const;

const blocks = new CellBlocks(14);

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
export class LeasedBucket {
  readonly name: string;
  /** Of the same account. */
  readonly older: LeasedBucket | undefined;
  readonly #cells: Float64Array;
  readonly #at: number;

  constructor(name: string, ratePerSecond: number, burst: number, nowMs: number, older?: LeasedBucket) {
    this.name = name;
    this.older = older;
    const { cells, at } = blocks.next();
    this.#cells = cells;
    this.#at = at;
    this.#part = leaseTerms.firstShare;
    this.#ratePerSecond = notNegative(ratePerSecond);
    this.#burst = fleetBurst(ratePerSecond, burst);
    this.#leasedAtMs = Number.NEGATIVE_INFINITY;
    gcraBegin(cells, at + cell.share, this.#share, nowMs);
    this.#askedSinceMs = nowMs;
    this.#answeredAtMs = nowMs;
  }

  allows(amount: number, nowMs: number): boolean {
    this.#asked += notNegative(amount);
    const uncovered = this.#uncovered(amount, nowMs);
    return gcraAllows(this.#cells, this.#at + cell.share, this.#share, uncovered, nowMs) || this.covered(amount, nowMs);
  }

  covered(amount: number, nowMs: number): boolean {
    return this.#uncovered(amount, nowMs) === 0;
  }

  charge(amount: number, nowMs: number): void {
    const cost = notNegative(amount);
    gcraCharge(this.#cells, this.#at + cell.share, this.#share, this.#uncovered(cost, nowMs), nowMs);
    // More than this only an outage admits, and it is refilled by the time that takes.
    const deepest = Math.min(this.#inHand, -Math.max(cost, this.#mostOwed()));
    const left = Math.max(this.#inHand - cost, deepest);
    this.#total += this.#inHand - left;
    this.#inHand = left;
  }

  giveBack(amount: number, nowMs: number): void {
    const cost = notNegative(amount);
    const owed = Math.max(0, -this.#inHand);
    gcraGiveBack(this.#cells, this.#at + cell.share, this.#share, Math.min(cost, owed), nowMs);
    this.#inHand += cost;
    this.#total -= cost;
  }

  waitMs(amount: number, nowMs: number): number {
    const uncovered = this.#uncovered(amount, nowMs);
    return uncovered === 0 ? 0 : gcraWaitMs(this.#cells, this.#at + cell.share, this.#share, uncovered, nowMs);
  }

  refit(ratePerSecond: number, burst: number, nowMs: number): void {
    const before = this.#share;
    this.#ratePerSecond = notNegative(ratePerSecond);
    this.#burst = fleetBurst(ratePerSecond, burst);
    gcraRefit(this.#cells, this.#at + cell.share, before, this.#share, nowMs);
  }

  left(nowMs: number): number {
    this.#expire(nowMs);
    return Math.max(0, this.#inHand) + this.#shareLeft(nowMs);
  }

  /** The store has forgotten this gateway too: a state made anew starts like this one. */
  atRest(nowMs: number): boolean {
    this.#expire(nowMs);
    return this.#inHand >= 0 && nowMs >= this.#leaseUntilMs && gcraAtRest(this.#cells, this.#at + cell.share, this.#share, nowMs);
  }

  /** Something to report, or too little in hand for what is asked. */
  needsExchange(): boolean {
    return this.#inHand < 0 || (this.#asked > 0 && this.#inHand <= this.#want / 2);
  }

  /** Holds what it may not need: to be renewed or returned before it expires. */
  renewalDue(nowMs: number): boolean {
    return this.#inHand > 0 && nowMs >= this.#leasedAtMs + leaseTerms.renewAfterMs;
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
    const initial = this.#known && shareBurst > 0 ? ((this.#shareLeft(nowMs) + owed) / shareBurst) * this.#burst : this.#burst;
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
    this.#answeredAtMs = nowMs;
    this.#inHand = answer.lease - (this.#total - this.#sentTotal);
    // Counted from before the store counted from, so it ends here first.
    this.#leasedAtMs = sentAtMs;
    this.#takePart(answer.share, nowMs);
    const level = answer.level < 0 ? answer.level * this.#part : this.#part * Math.min(answer.level, this.#burst);
    gcraSet(this.#cells, this.#at + cell.share, this.#share, level - Math.max(0, -this.#inHand), nowMs);
  }

  #uncovered(amount: number, nowMs: number): number {
    this.#expire(nowMs);
    return Math.max(0, notNegative(amount) - Math.max(0, this.#inHand));
  }

  #expire(nowMs: number): void {
    if (this.#inHand > 0 && nowMs >= this.#leaseUntilMs) this.#inHand = 0;
  }

  /** The local share as it is now. */
  get #share(): GcraLimit {
    const part = this.#part;
    return { perMs: (part * this.#ratePerSecond) / 1000, burst: part * this.#burst };
  }

  #shareLeft(nowMs: number): number {
    return gcraLeft(this.#cells, this.#at + cell.share, this.#share, nowMs);
  }

  #takePart(part: number, nowMs: number): void {
    const before = this.#share;
    this.#part = part;
    gcraRefit(this.#cells, this.#at + cell.share, before, this.#share, nowMs);
  }

  /** There was an answer. */
  get #known(): boolean {
    return this.#leasedAtMs !== Number.NEGATIVE_INFINITY;
  }

  get #leaseUntilMs(): number {
    return this.#leasedAtMs + leaseTerms.ttlMs;
  }

  get #inHand(): number {
    return this.#cells[this.#at + cell.inHand] ?? 0;
  }
  set #inHand(value: number) {
    this.#cells[this.#at + cell.inHand] = value;
  }
  get #leasedAtMs(): number {
    return this.#cells[this.#at + cell.leasedAtMs] ?? 0;
  }
  set #leasedAtMs(value: number) {
    this.#cells[this.#at + cell.leasedAtMs] = value;
  }
  get #asked(): number {
    return this.#cells[this.#at + cell.asked] ?? 0;
  }
  set #asked(value: number) {
    this.#cells[this.#at + cell.asked] = value;
  }
  get #total(): number {
    return this.#cells[this.#at + cell.total] ?? 0;
  }
  set #total(value: number) {
    this.#cells[this.#at + cell.total] = value;
  }
  get #part(): number {
    return this.#cells[this.#at + cell.part] ?? 0;
  }
  set #part(value: number) {
    this.#cells[this.#at + cell.part] = value;
  }
  get #burst(): number {
    return this.#cells[this.#at + cell.burst] ?? 0;
  }
  set #burst(value: number) {
    this.#cells[this.#at + cell.burst] = value;
  }
  get #ratePerSecond(): number {
    return this.#cells[this.#at + cell.ratePerSecond] ?? 0;
  }
  set #ratePerSecond(value: number) {
    this.#cells[this.#at + cell.ratePerSecond] = value;
  }
  get #want(): number {
    return this.#cells[this.#at + cell.want] ?? 0;
  }
  set #want(value: number) {
    this.#cells[this.#at + cell.want] = value;
  }
  get #sentTotal(): number {
    return this.#cells[this.#at + cell.sentTotal] ?? 0;
  }
  set #sentTotal(value: number) {
    this.#cells[this.#at + cell.sentTotal] = value;
  }
  get #askedSinceMs(): number {
    return this.#cells[this.#at + cell.askedSinceMs] ?? 0;
  }
  set #askedSinceMs(value: number) {
    this.#cells[this.#at + cell.askedSinceMs] = value;
  }
  get #usePerSecond(): number {
    return this.#cells[this.#at + cell.usePerSecond] ?? 0;
  }
  set #usePerSecond(value: number) {
    this.#cells[this.#at + cell.usePerSecond] = value;
  }
  get #answeredAtMs(): number {
    return this.#cells[this.#at + cell.answeredAtMs] ?? 0;
  }
  set #answeredAtMs(value: number) {
    this.#cells[this.#at + cell.answeredAtMs] = value;
  }

  /** The store has forgotten this gateway, and others may have its share: an outage that begins now must not find it with both. */
  #startAnew(nowMs: number): void {
    this.#takePart(Math.min(this.#part, leaseTerms.firstShare), nowMs);
  }

  /** What an outage admitted was refilled by the time it took, as far as the local share says so: only what is missing there is owed. */
  #forgive(nowMs: number): void {
    const missing = Math.max(0, this.#part * this.#burst - this.#shareLeft(nowMs));
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
