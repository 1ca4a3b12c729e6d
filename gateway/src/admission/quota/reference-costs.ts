/** What is known of a model's run times when its reference cost is asked for. */
export interface ObservedCost {
  /** t(b) = overheadMs + b x perRowMs. */
  readonly overheadMs: number;
  readonly perRowMs: number;
  /** True once both terms are separately known. */
  readonly identified: boolean;
}

/** Milliseconds per row that a request to a model is charged while nothing is known of it: a small model on a CPU. */
export const neutralCostMs = 1;
/** Runs after which their mean is taken, fit or none: a model that is always run at one batch size never identifies the two terms. */
const runsToFreeze = 64;
/** Bounds a table of names that nobody cleans up. */
const maxModels = 10_000;
/** Of one model; while one is swapped for another both run. The oldest gives way. */
const maxRevisions = 4;

interface Entry {
  /** Runs, rows and milliseconds since the revision was first seen; unused once frozen. */
  runs: number;
  rows: number;
  totalMs: number;
  frozenMs: number | undefined;
}

/**
 * What one row of a model costs in computeMillisecondsPerSecond: the same for every tenant, at every load and on every backend, or a
 * tenant's limit would depend on its neighbours. So it is learnt once for a revision and then frozen, from what runs took per row at
 * the batches the model really has: t(b) / b at the mean b, e.g. 4 ms + 8 x 0.5 ms over 8 rows: 1 ms a row. Until then a row is charged
 * `neutralCostMs`; a figure in the table (`configuredMs`) wins over all. Pure: the caller feeds runs and asks.
 */
export class ReferenceCosts {
  readonly #models = new Map<string, Map<string, Entry>>();
  readonly #neutralMs: number;

  constructor(neutralMs: number = neutralCostMs) {
    this.#neutralMs = neutralMs;
  }

  /** Milliseconds of compute charged for `rows` of this revision. */
  chargeMs(model: string, revision: string, rows: number, configuredMs?: number): number {
    return rows * this.perRowMs(model, revision, configuredMs);
  }

  perRowMs(model: string, revision: string, configuredMs?: number): number {
    if (configuredMs !== undefined) return configuredMs;
    return this.#models.get(model)?.get(revision)?.frozenMs ?? this.#neutralMs;
  }

  /** True once the charge of this revision will not change any more. */
  frozen(model: string, revision: string): boolean {
    return this.#models.get(model)?.get(revision)?.frozenMs !== undefined;
  }

  /** A run ended. Figures that are not positive numbers say nothing. */
  observe(model: string, revision: string, rows: number, runMs: number, fit?: ObservedCost): void {
    if (!(rows > 0) || !(runMs >= 0) || !Number.isFinite(rows) || !Number.isFinite(runMs)) return;
    const entry = this.#entry(model, revision);
    if (entry === undefined || entry.frozenMs !== undefined) return;
    entry.runs += 1;
    entry.rows += rows;
    entry.totalMs += runMs;
    entry.frozenMs = settled(entry, fit);
  }

  /** A model that is gone. */
  forget(model: string): void {
    this.#models.delete(model);
  }

  #entry(model: string, revision: string): Entry | undefined {
    const revisions = this.#models.get(model) ?? new Map<string, Entry>();
    const known = revisions.get(revision);
    if (known !== undefined) return known;
    if (revisions.size === 0) {
      if (this.#models.size >= maxModels) return undefined;
      this.#models.set(model, revisions);
    }
    const oldest = revisions.size >= maxRevisions ? revisions.keys().next().value : undefined;
    if (oldest !== undefined) revisions.delete(oldest);
    const fresh: Entry = { runs: 0, rows: 0, totalMs: 0, frozenMs: undefined };
    revisions.set(revision, fresh);
    return fresh;
  }
}

function settled(entry: Entry, fit: ObservedCost | undefined): number | undefined {
  const meanRows = entry.rows / entry.runs;
  if (fit?.identified === true) {
    const perRowMs = fit.overheadMs / meanRows + fit.perRowMs;
    if (perRowMs > 0 && Number.isFinite(perRowMs)) return perRowMs;
  }
  return entry.runs >= runsToFreeze ? entry.totalMs / entry.rows : undefined;
}
