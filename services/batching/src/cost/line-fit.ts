import type { Line, Sample } from './robust-line.js';
import { median, robustLine } from './robust-line.js';

export interface LineFitOptions {
  /** Runs after which a run counts 1/e: sums decay by 1 - 1/windowRuns per run. */
  readonly windowRuns: number;
  /** Spread of sizes (standard deviation over mean) from which overhead and slope are told apart. */
  readonly minSpread: number;
  /** Runs of one size only after which the learnt proportion of overhead to slope is no longer believed. */
  readonly shapeMemoryRuns: number;
}

/** So many runs are collected before the first fit, and so many clamped ones in a row are a new regime, not outliers. */
const settleRuns = 5;
/** A residual within this share of the prediction is never clamped: timer grain and ordinary jitter. */
const quietResidual = 0.05;
/** Clamp at so many mean absolute residuals (2.8 sigma of a Gaussian, whose mean absolute value is 0.8 sigma). */
const clampResiduals = 3.5;
/** A clamped run is hardly evidence: this share of an ordinary one's weight. */
const clampedWeight = 0.25;
/** What history keeps of its weight when the regime changed. */
const regimeKeep = 0.02;
/** Above this leverage a sample decides its own prediction, so that its residual says nothing about it. */
const maxTrustedLeverage = 0.3;
/** Bounds of what is taken for a run, so that no sum can overflow: a tenth of a microsecond to eleven days, a billion rows. */
const minRunMs = 1e-4;
const maxRunMs = 1e9;
const maxRows = 1e9;
const residualRing = 64;
/** The quantile is sorted anew after so many runs, not after each. */
const residualEvery = 8;

/**
 * Recursive least squares of t(b) = a + k b in the information form: six decayed sums instead of a covariance matrix,
 * which cannot lose its symmetry or blow up when only one size is seen.
 *
 *     minimise  sum_i f^age_i * ((t_i - a - k b_i) / p_i)^2      a, k >= 0
 *
 * p_i is the prediction before run i: run times scatter in proportion to themselves, and without the division one run of
 * 32 rows would outvote the overhead seen in many runs of one.
 */
export class LineFit {
  readonly #options: LineFitOptions;
  readonly #keep: number;
  #line: Line = { overheadMs: 0, perRowMs: 0 };
  /** Last line whose overhead and slope were told apart by data. */
  #shape: Line | undefined;
  #runsSinceSpread = 0;
  #identified = false;

  /** Runs not yet in the sums: the first ones, or a streak of clamped ones. */
  #pending: Sample[] = [];
  #pendingSign = 0;
  #settled = false;

  // Sums with weight f^age / p^2.
  #w = 0;
  #wb = 0;
  #wbb = 0;
  #wt = 0;
  #wbt = 0;
  // Sums with weight f^age: sizes as they came.
  #n = 0;
  #nb = 0;
  #nbb = 0;
  /** Decayed mean of |relative residual| after clamping. */
  #scatter = quietResidual;
  readonly #residuals: number[] = [];
  #residualAt = 0;
  #residualP95 = 0;
  #residualAge = 0;

  constructor(options: LineFitOptions) {
    this.#options = options;
    this.#keep = 1 - 1 / options.windowRuns;
  }

  get line(): Line {
    return this.#line;
  }

  get identified(): boolean {
    return this.#identified;
  }

  /** 95th percentile of (measured - predicted) over the last 64 runs, at the mean size seen; 0 or more. */
  get residualMs(): number {
    if (this.#residualAge >= residualEvery || this.#residuals.length < residualEvery) {
      this.#residualP95 = this.#p95();
      this.#residualAge = 0;
    }
    return this.#residualP95 * this.#predict(this.#n > 0 ? this.#nb / this.#n : 1);
  }

  observe(rows: number, runMs: number): void {
    if (!(rows > 0) || !(runMs >= 0) || !Number.isFinite(rows) || !Number.isFinite(runMs)) return;
    const sample: Sample = { rows: Math.min(rows, maxRows), runMs: Math.min(Math.max(runMs, minRunMs), maxRunMs) };
    if (!this.#settled) {
      this.#pending.push(sample);
      this.#line = robustLine(this.#pending.map(({ rows: b, runMs: t }) => ({ rows: 1, runMs: t / b })));
      if (this.#pending.length >= settleRuns) this.#seed();
      return;
    }
    this.#noteResidual(sample);
    const clamped = this.#clamp(sample);
    if (clamped === sample) this.#pending = [];
    else if (this.#streak(sample, clamped) >= settleRuns) return this.#seed();
    this.#add(clamped, clamped === sample ? 1 : clampedWeight);
    this.#solve();
  }

  #predict(rows: number): number {
    return this.#line.overheadMs + this.#line.perRowMs * rows;
  }

  /** Starts (or restarts) from the pending samples by their robust line; outliers among them are pulled to it. */
  #seed(): void {
    const samples = this.#pending;
    const start = robustLine(samples);
    this.#pending = [];
    this.#pendingSign = 0;
    if (this.#settled) this.#forget(samples);
    this.#settled = true;
    this.#line = start;
    this.#scatter = Math.max(this.#scatter, quietResidual);
    for (const { rows, runMs } of samples) {
      const predicted = this.#predict(rows);
      this.#add({ rows, runMs: Math.min(Math.max(runMs, predicted * 0.75), predicted * 1.25) });
    }
    this.#solve();
  }

  /**
   * The little that is kept of history is brought to the new speed, for what changes is mostly the machine, not the
   * proportion of overhead to rows: a slower machine seen in full batches only is then slower for one row too.
   */
  #forget(samples: readonly Sample[]): void {
    const speed = median(samples.map(({ rows, runMs }) => runMs / Math.max(this.#predict(rows), minRunMs)));
    this.#decay(regimeKeep);
    this.#wt *= speed;
    this.#wbt *= speed;
    if (this.#shape !== undefined) this.#shape = { overheadMs: this.#shape.overheadMs * speed, perRowMs: this.#shape.perRowMs * speed };
  }

  #streak(sample: Sample, clamped: Sample): number {
    const sign = Math.sign(sample.runMs - clamped.runMs);
    if (sign !== this.#pendingSign) this.#pending = [];
    this.#pendingSign = sign;
    return this.#pending.push(sample);
  }

  /** Huber's idea as a clamp on the measurement: an outlier counts as the largest ordinary residual. */
  #clamp(sample: Sample): Sample {
    const limit = Math.max(quietResidual, clampResiduals * this.#scatter);
    const predicted = this.#predict(sample.rows);
    let least = predicted * (1 - limit);
    let most = predicted * (1 + limit);
    if (this.#leverage(sample.rows) > maxTrustedLeverage) {
      // A size hardly seen. Whatever a and k are, t(b) rises with b and t(b)/b falls, so the mean run bounds it.
      const meanRows = this.#nb / this.#n;
      const meanMs = this.#predict(meanRows);
      const proportional = (meanMs * sample.rows) / meanRows;
      least = Math.min(meanMs, proportional) * (1 - limit);
      most = Math.max(meanMs, proportional) * (1 + limit);
    }
    const runMs = Math.min(Math.max(sample.runMs, least), most);
    return runMs === sample.runMs ? sample : { rows: sample.rows, runMs };
  }

  /** Share that one more run of this size would have in what is known of this size, by numbers of runs: 1/2 after one alone. */
  #leverage(rows: number): number {
    const meanRows = this.#nb / this.#n;
    const variance = this.#nbb / this.#n - meanRows * meanRows;
    const offset = rows - meanRows;
    if (variance <= 1e-9 * meanRows * meanRows) return Math.abs(offset) <= this.#options.minSpread * meanRows ? 0 : 1;
    const own = (1 + (offset * offset) / variance) / this.#n;
    return own / (1 + own);
  }

  #add({ rows, runMs }: Sample, share = 1): void {
    this.#decay(this.#keep);
    const predicted = Math.max(this.#predict(rows), minRunMs);
    const weight = share / (predicted * predicted);
    this.#w += weight;
    this.#wb += weight * rows;
    this.#wbb += weight * rows * rows;
    this.#wt += weight * runMs;
    this.#wbt += weight * rows * runMs;
    this.#n += 1;
    this.#nb += rows;
    this.#nbb += rows * rows;
    this.#scatter += (Math.abs(runMs / predicted - 1) - this.#scatter) * 0.05;
  }

  #decay(keep: number): void {
    this.#w *= keep;
    this.#wb *= keep;
    this.#wbb *= keep;
    this.#wt *= keep;
    this.#wbt *= keep;
    this.#n *= keep;
    this.#nb *= keep;
    this.#nbb *= keep;
  }

  #solve(): void {
    const meanRows = this.#nb / this.#n;
    const variance = Math.max(0, this.#nbb / this.#n - meanRows * meanRows);
    const determinant = this.#w * this.#wbb - this.#wb * this.#wb;
    if (Math.sqrt(variance) >= this.#options.minSpread * meanRows && determinant > 1e-9 * this.#w * this.#wbb) {
      this.#line = this.#leastSquares(determinant);
      this.#shape = this.#line;
      this.#runsSinceSpread = 0;
      this.#identified = true;
      return;
    }
    this.#runsSinceSpread += 1;
    if (this.#shape !== undefined && this.#runsSinceSpread <= this.#options.shapeMemoryRuns) {
      // One size only of late (full batches under load): it tells how fast the machine is now, not how t splits.
      const scale = this.#wt / (this.#shape.overheadMs * this.#w + this.#shape.perRowMs * this.#wb);
      this.#line = { overheadMs: this.#shape.overheadMs * scale, perRowMs: this.#shape.perRowMs * scale };
      return;
    }
    this.#shape = undefined;
    this.#identified = false;
    // Least squares through the origin: the mean of t/b would let one lone run, all overhead, stand for rows that it never had.
    this.#line = { overheadMs: 0, perRowMs: this.#wbt / this.#wbb };
  }

  /** The exact non-negative solution: on the border the other coefficient alone is fitted. */
  #leastSquares(determinant: number): Line {
    const perRowMs = (this.#w * this.#wbt - this.#wb * this.#wt) / determinant;
    if (perRowMs < 0) return { overheadMs: this.#wt / this.#w, perRowMs: 0 };
    const overheadMs = (this.#wbb * this.#wt - this.#wb * this.#wbt) / determinant;
    if (overheadMs < 0) return { overheadMs: 0, perRowMs: this.#wbt / this.#wbb };
    return { overheadMs, perRowMs };
  }

  #noteResidual({ rows, runMs }: Sample): void {
    const relative = runMs / Math.max(this.#predict(rows), minRunMs) - 1;
    this.#residuals[this.#residualAt] = relative;
    this.#residualAt = (this.#residualAt + 1) % residualRing;
    this.#residualAge += 1;
  }

  #p95(): number {
    if (this.#residuals.length === 0) return 0;
    const sorted = this.#residuals.toSorted((a, b) => a - b);
    return Math.max(0, sorted[Math.floor(0.95 * (sorted.length - 1))] ?? 0);
  }
}
