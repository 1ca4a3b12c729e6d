/** Windows over which arrivals and answers are counted. */
const leastWindowMs = 20;
const mostWindowMs = 500;
/** Share of the limit that the controller aims at: the rest is for what comes unevenly. */
export const aimedShare = 0.75;
/** Of the distance from the aim, what each window makes good. */
const gain = 0.5;
/** With less of the limit under way there is no overload, whatever the counts of a window say: batches are answered in lumps. */
const idleShare = aimedShare / 2;
/** What a new window counts against those before it. */
const newest = 0.5;
/** A class of which some are shed stops at this share of the limit, those it told to come at the other; the rest is for the classes before it. */
const shedStop = 0.8;
const expectedStop = 0.96;
/** 2^32 / golden ratio: the multiples of it, modulo 2^32, spread evenly over any subsequence. */
const weyl = 0x9e3779b9;

/**
 * Which classes of requests are let in while more comes than is answered. Classes are ranks, 0 first.
 *
 *     arrivals by rank   |== 0 ==|===== 1 =====|======= 2 =======|
 *     let in             |<------- keep ------->|                     rank 0 and 1 wholly, a part of 2
 *
 * keep follows from each window: what was answered, and half of what is missing to 75 % of the limit under way, by what came.
 * So it is below 1 only where that is reached or what comes would fill it within a window or two. The rank in
 * which it ends is thinned, so that the share of each rank changes as smoothly as keep does (as in WeChat's DAGOR, whose
 * level moves over such a histogram, but with a fraction within the level, without which the level swings by whole classes).
 */
export class Shedder {
  readonly #ranks: number;
  readonly #arrivals: Float64Array;
  readonly #expected: Float64Array;
  readonly #demand: Float64Array;
  readonly #share: Float64Array;
  readonly #modest: Float64Array;
  readonly #modestShare: Float64Array;
  readonly #thinned: Uint32Array;
  #answers = 0;
  #answered = 0;
  #keep = 1;
  #underWayMs = 0;
  #startedMs = -Infinity;
  #atMs = -Infinity;
  #windowMs = leastWindowMs;
  #latencyMs = leastWindowMs;

  constructor(ranks: number) {
    this.#ranks = ranks;
    this.#arrivals = new Float64Array(ranks);
    this.#expected = new Float64Array(ranks);
    this.#demand = new Float64Array(ranks);
    this.#share = new Float64Array(ranks).fill(1);
    this.#modest = new Float64Array(ranks);
    this.#modestShare = new Float64Array(ranks).fill(1);
    this.#thinned = new Uint32Array(ranks);
  }

  /** Of all that comes, the share that is let in. */
  get keep(): number {
    return this.#keep;
  }

  /** Share of a rank's new requests that is let in now. */
  shareOf(rank: number): number {
    return this.#share[rank] ?? 0;
  }

  /** What of a rank is let in, requests a millisecond. */
  rateOf(rank: number): number {
    return (this.shareOf(rank) * (this.#demand[rank] ?? 0)) / this.#windowMs;
  }

  get answersPerMs(): number {
    return this.#answered / this.#windowMs;
  }

  /** How much of the limit a rank may use; `before`: one that goes before the others of its rank. */
  stopOf(rank: number, before: boolean): number {
    return this.shareOf(rank) >= 1 ? 1 : before ? expectedStop : shedStop;
  }

  /**
   * Counts the arrival. `expected`: it was told to come now, `modest`: its tenant is within its share; both take from their
   * rank's share before the others of the rank do.
   */
  arrived(rank: number, expected: boolean, modest: boolean, underWay: number, limit: number, nowMs: number): void {
    this.#tick(underWay, limit, nowMs);
    this.#arrivals[rank] = (this.#arrivals[rank] ?? 0) + 1;
    if (expected) this.#expected[rank] = (this.#expected[rank] ?? 0) + 1;
    else if (modest) this.#modest[rank] = (this.#modest[rank] ?? 0) + 1;
  }

  /** Whether this one of its rank passes. No chance: the golden-ratio sequence, which no rhythm of arrivals falls in step with. */
  passes(rank: number, modest: boolean, underWay: number, limit: number): boolean {
    const share = modest ? (this.#modestShare[rank] ?? 0) : this.shareOf(rank);
    if (share >= 1 || underWay < idleShare * limit) return true;
    const next = ((this.#thinned[rank] ?? 0) + weyl) >>> 0;
    this.#thinned[rank] = next;
    return next < share * 4_294_967_296;
  }

  /** `underWay`: with it. */
  ended(latencyMs: number, underWay: number, limit: number, nowMs: number): void {
    this.#tick(underWay, limit, nowMs);
    this.#answers += 1;
    if (latencyMs > 0 && latencyMs < Infinity) {
      this.#latencyMs += (latencyMs - this.#latencyMs) / 64;
      this.#windowMs = Math.min(Math.max(this.#latencyMs, leastWindowMs), mostWindowMs);
    }
  }

  #tick(underWay: number, limit: number, nowMs: number): void {
    if (this.#startedMs === -Infinity) this.#startedMs = nowMs;
    else if (nowMs > this.#atMs) this.#underWayMs += underWay * (nowMs - this.#atMs);
    if (nowMs <= this.#atMs) return;
    this.#atMs = nowMs;
    const elapsedMs = nowMs - this.#startedMs;
    if (elapsedMs >= this.#windowMs) this.#roll(limit, elapsedMs, nowMs);
  }

  #roll(limit: number, elapsedMs: number, nowMs: number): void {
    const scale = this.#windowMs / elapsedMs;
    // After a silence the past says nothing.
    const mix = elapsedMs > 4 * this.#windowMs ? 1 : newest;
    let total = 0;
    for (let rank = 0; rank < this.#ranks; rank++) {
      const demand = (this.#demand[rank] ?? 0) * (1 - mix) + (this.#arrivals[rank] ?? 0) * scale * mix;
      this.#demand[rank] = demand;
      total += demand;
    }
    this.#answered = this.#answered * (1 - mix) + this.#answers * scale * mix;
    const meanUnderWay = this.#underWayMs / elapsedMs;
    // What is under way leaves within one latency (Little), so that the room is what so much more in that time would fill.
    const room = (aimedShare * limit - meanUnderWay) * (this.#windowMs / Math.max(this.#latencyMs, 1e-3));
    this.#keep = total > 0 ? Math.min(1, Math.max(0, (this.#answered + gain * room) / total)) : 1;
    let above = 0;
    for (let rank = 0; rank < this.#ranks; rank++) {
      const demand = this.#demand[rank] ?? 0;
      const wanted = this.#keep * total - above;
      const whole = demand > 0 ? Math.min(1, Math.max(0, wanted / demand)) : wanted > 0 || this.#keep === 1 ? 1 : 0;
      const told = Math.min(((this.#expected[rank] ?? 0) * scale) / Math.max(demand, 1e-9), 1);
      const modest = Math.min(((this.#modest[rank] ?? 0) * scale) / Math.max(demand, 1e-9), 1 - told);
      this.#share[rank] = shareAfter(whole, told + modest, 1 - told - modest);
      this.#modestShare[rank] = shareAfter(whole, told, modest);
      above += demand;
      this.#modest[rank] = 0;
      this.#arrivals[rank] = 0;
      this.#expected[rank] = 0;
    }
    this.#answers = 0;
    this.#underWayMs = 0;
    this.#startedMs = nowMs;
  }
}

/** Of a part of a rank, the share let in when so much of the rank is let in and some of it goes before that part. */
function shareAfter(whole: number, before: number, part: number): number {
  if (whole >= 1) return 1;
  return whole <= before ? 0 : Math.min(1, (whole - before) / Math.max(part, 1e-9));
}
