import type { RefusalReason } from '@headrace/runtime';
import { capacityRowsPerSecond } from './fleet.js';
import type { BackendSummary, SimulatedBackend, SimulatedModel } from './fleet.js';
import { reportOf } from './report.js';
import type { SimulationReport } from './report.js';
import { Tallies, Tally } from './tally.js';
import { TimeSeries } from './time-series.js';

/** Where a request is counted. */
export type Groups = readonly Tally[];

/** Who asks for what. */
export interface Whose {
  /** '' for a client that nothing names. */
  readonly tenant: string;
  /** The tenant's share of the service relative to others'. */
  readonly weight: number;
  readonly tier: string;
  readonly priority: number | undefined;
  readonly model: string;
}

/** About 10 KB each: with these bounds the record of any run stays below 20 MB. */
const maxTenants = 1000;
const maxOtherGroups = 100;
const maxPoints = 200;

/** Counts what happens in a simulation, in bounded memory. */
export class SimulationRecord {
  readonly #sloMs: number;
  readonly #total = new Tally();
  readonly #byTier = new Tallies(maxOtherGroups);
  readonly #byPriority = new Tallies(maxOtherGroups);
  readonly #byModel = new Tallies(maxOtherGroups);
  readonly #byTenant = new Tallies(maxTenants);
  readonly #series = new TimeSeries(maxPoints);
  readonly #shadowed = new Map<string, number>();
  #toldToWait = 0;
  #sent = 0;
  #gotIn = 0;

  constructor(sloMs: number) {
    this.#sloMs = sloMs;
  }

  get requests(): number {
    return this.#total.offered;
  }

  groupsOf({ tenant, weight, tier, priority, model }: Whose): Groups {
    const own = this.#byTenant.of(tenant === '' ? '(none)' : tenant);
    own.weight = weight;
    return [this.#total, own, this.#byTier.of(tier), this.#byPriority.of(String(priority ?? 0)), this.#byModel.of(model)];
  }

  offered(groups: Groups, rows: number, atMs: number): void {
    for (const group of groups) group.offer(rows);
    this.#series.offered(atMs);
  }

  answered(groups: Groups, rows: number, atMs: number, latencyMs: number, deadlineMs: number): void {
    const inTime = latencyMs <= (deadlineMs === Infinity ? this.#sloMs : deadlineMs);
    for (const group of groups) group.answer(rows, latencyMs, inTime);
    this.#series.answered(atMs, latencyMs, inTime);
  }

  refused(groups: Groups, reason: RefusalReason, atMs: number): void {
    for (const group of groups) group.refuse(reason);
    this.#series.refused(atMs, reason);
  }

  /** In shadow mode: it would have been refused. */
  shadowed(reason: string, by = 1): void {
    this.#shadowed.set(reason, (this.#shadowed.get(reason) ?? 0) + by);
  }

  toldToWait(): void {
    this.#toldToWait += 1;
  }

  cameAgain(gotIn: boolean): void {
    this.#sent += 1;
    if (gotIn) this.#gotIn += 1;
  }

  /** Fifty looks at the queue for each point of the series, however long the run. */
  get sampleMs(): number {
    return this.#series.lengthMs / 50;
  }

  queue(atMs: number, rows: number): void {
    this.#series.queue(atMs, rows);
  }

  report(now: {
    readonly elapsedMs: number;
    readonly complete: boolean;
    readonly backends: readonly BackendSummary[];
    readonly specs: readonly SimulatedBackend[];
    readonly model: SimulatedModel;
  }): SimulationReport {
    return reportOf({
      elapsedMs: now.elapsedMs,
      complete: now.complete,
      total: this.#total,
      byTier: this.#byTier.entries(),
      byPriority: this.#byPriority.entries(),
      byModel: this.#byModel.entries(),
      byTenant: this.#byTenant.entries(),
      shadowed: this.#shadowed,
      retries: { toldToWait: this.#toldToWait, sent: this.#sent, gotIn: this.#gotIn },
      backends: now.backends,
      capacityRowsPerSecond: capacityRowsPerSecond(now.specs, now.model, now.model.maxBatchRows),
      series: this.#series.points(now.elapsedMs),
    });
  }
}
