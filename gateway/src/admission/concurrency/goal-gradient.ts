import type { AdaptiveLimit, LatencyGoal } from './adaptive-limit.js';
import { LatencyRatios } from './latency-ratios.js';

export interface GoalGradientOptions {
  /** Undefined: the model's own run times are the measure. */
  readonly goal: LatencyGoal | undefined;
  readonly initial?: number;
  /** Never below; see least(). Default 2. */
  readonly least?: number;
  /** Never above. Default 65,536. */
  readonly most?: number;
}

/** Aims below the goal: the percentile of the next window is not that of the last one. */
const headroom = 0.9;
/** Without a goal: a wait of as long as two runs, and the run. */
const runsWithoutGoal = 3;
const percentileWithoutGoal = 90;
/** Share of the way that one step goes. */
const smoothing = 0.5;
/** No step for less: the histogram is no finer. */
const deadBand = 0.08;
const leastWindowMs = 100;
/** A window lasts at least so many times the goal, and twice that before the limit grows again after it was made smaller. */
const windowGoals = 1.25;
/** A window ends without all its samples after this. */
const mostWindowMs = 2_000;
const fewestSamples = 16;
/** Of a window's samples, those that must have ended with the limit half used or more for it to grow. */
const fullShare = 0.8;
/** What ends within this ended together. */
const burstMs = 1;
/** Run times are averaged over about so many requests. */
const serviceSamples = 128;

/**
 * The gradient of Netflix's Gradient2 with the goal where that has the long-term average:
 *
 *     limit' = limit * (1 + smoothing * (clamp(0.9 goal / latency_p, 0.5, 2) - 1))
 *
 * By Little's law latency = limit / throughput while the limit is what holds requests back, so that the fixed point is where
 * the percentile meets 0.9 of the goal, whatever the throughput is. A batch that grows with the limit makes the latency grow
 * less than that, and the limit goes on until the goal is met: batching is never taken for queueing.
 *
 * Only requests that came after the last step count. The answers of older ones tell of the limit before, and steps on those
 * are what makes such loops swing.
 *
 * Without a goal the measure is 3 run times. The run time of a batch is its latency without load, and grows with the batch
 * by design; so does the measure, up to full batches and no further. E.g. a 10 ms, k 0.1 ms, 32 rows: 39.6 ms, 96 requests.
 */
export class GoalGradient implements AdaptiveLimit {
  readonly #most: number;
  readonly #ratios = new LatencyRatios();
  readonly #goal: LatencyGoal | undefined;
  #least: number;
  #limit: number;
  #changedMs = -Infinity;
  #windowMs = -Infinity;
  #burstMs = -Infinity;
  #burstUnderWay = 0;
  #shrank = false;
  #samples = 0;
  #fullSamples = 0;
  #serviceMs = 0;
  /** Where run times are unknown: the least latency seen, slowly forgotten. */
  #leastMs = Infinity;

  constructor({ goal, initial = 64, least = 2, most = 65_536 }: GoalGradientOptions) {
    this.#goal = goal;
    this.#most = most;
    this.#least = least;
    this.#limit = Math.min(Math.max(initial, least), most);
  }

  get limit(): number {
    return this.#limit;
  }

  /** What a request has, from arrival to answer, for the percentile; 0 while nothing is known. */
  get goalMs(): number {
    if (this.#goal !== undefined) return headroom * this.#goal.latencyMs;
    const serviceMs = this.#serviceMs > 0 ? this.#serviceMs : this.#leastMs;
    return serviceMs < Infinity ? runsWithoutGoal * serviceMs : 0;
  }

  /**
   * Requests that keep all targets in the batches that give the best goodput within the goal, one running and one waiting
   * on each: less would starve them, and a goal that no batch meets is not met by letting targets idle.
   */
  setLeast(requests: number): void {
    this.#least = Math.min(Math.max(Number.isFinite(requests) ? requests : 1, 1), this.#most);
    this.#limit = Math.max(this.#limit, this.#least);
  }

  ended(nowMs: number, latencyMs: number, serviceMs: number | undefined, underWay: number): void {
    if (!(latencyMs >= 0)) return;
    if (serviceMs !== undefined && serviceMs > 0 && serviceMs < Infinity) {
      this.#serviceMs += (serviceMs - this.#serviceMs) / (this.#serviceMs === 0 ? 1 : serviceSamples);
    } else if (latencyMs < this.#leastMs) this.#leastMs = Math.max(latencyMs, 1e-3);
    if (this.#windowMs === -Infinity || nowMs < this.#windowMs) this.#windowMs = nowMs;
    // A batch ends as one: all of it was under way, also for its last.
    if (!(nowMs - this.#burstMs < burstMs)) {
      this.#burstMs = nowMs;
      this.#burstUnderWay = underWay;
    }
    const goalMs = this.goalMs;
    if (goalMs <= 0 || this.#isOld(nowMs - latencyMs, latencyMs > goalMs)) return;
    this.#ratios.add(latencyMs / goalMs);
    this.#samples += 1;
    if (this.#burstUnderWay >= this.#limit / 2) this.#fullSamples += 1;
    const elapsedMs = nowMs - this.#windowMs;
    // As long as what is in time may take: a shorter window would see the quick ones only.
    if (elapsedMs < Math.max(leastWindowMs, windowGoals * goalMs) || this.#ratios.total < fewestSamples) return;
    const share = (this.#goal?.percentile ?? percentileWithoutGoal) / 100;
    if (this.#ratios.total * (1 - share) < 2 && elapsedMs < mostWindowMs) return;
    this.#step(nowMs, this.#ratios.quantile(share));
  }

  /** A late one from before the limit grew is news all the same: those who are late are always seen last. */
  #isOld(arrivedMs: number, late: boolean): boolean {
    return arrivedMs < this.#changedMs && (this.#shrank || !late);
  }

  #step(nowMs: number, ratio: number): void {
    const full = this.#fullSamples >= fullShare * this.#samples;
    const settled = !this.#shrank || nowMs - this.#changedMs >= 2 * windowGoals * this.goalMs;
    this.#windowMs = nowMs;
    this.#samples = 0;
    this.#fullSamples = 0;
    this.#leastMs *= 1.01;
    const gradient = Math.min(Math.max(1 / ratio, 0.5), 2);
    // With half of the limit unused nothing is learnt about more of it.
    if (Math.abs(gradient - 1) < deadBand || (gradient > 1 && !(full && settled))) return this.#ratios.decay(0.5);
    const next = this.#limit * (1 + smoothing * (gradient - 1));
    this.#limit = Math.min(Math.max(next, this.#least), this.#most);
    this.#changedMs = nowMs;
    this.#shrank = gradient < 1;
    this.#ratios.decay(0);
  }
}

/** t(b) = overheadMs + perRowMs * b of a target. */
export interface TargetTimes {
  readonly overheadMs: number;
  readonly perRowMs: number;
}

/**
 * The least limit for `setLeast`, in requests of one row: for each target `batches` (one running, the others waiting) of the
 * largest b of which one that waits for the others and then runs is done within the goal, batches * t(b) <= goal; where not
 * even b = 1 is, or without a goal, of the largest b there is, for the throughput. E.g. a 10 ms, k 0.1 ms, 32 rows, 2 batches:
 * 64 for a goal of 40 ms, 2 * 25 = 50 for 25 ms.
 */
export function leastUnderWay(targets: readonly TargetTimes[], maxBatchRows: number, goal: LatencyGoal | undefined, batches = 2): number {
  let requests = 0;
  for (const { overheadMs, perRowMs } of targets) {
    const spareMs = goal === undefined ? Infinity : goal.latencyMs / batches - overheadMs;
    const fits = perRowMs > 0 ? Math.floor(spareMs / perRowMs) : spareMs > 0 ? Infinity : 0;
    requests += batches * (fits >= 1 ? Math.min(fits, maxBatchRows) : maxBatchRows);
  }
  return Math.max(requests, 2);
}
