import type { Refusal } from '@headrace/runtime';
import type { ModelPolicy, SloPolicy } from '../domain/gateway-table.js';
import type { TierPolicy } from '../domain/traffic.js';
import type { LatencyGoal } from './concurrency/adaptive-limit.js';
import { AdmissionClasses } from './concurrency/classes.js';
import type { AdmissionClass } from './concurrency/classes.js';
import { GoalGradient, leastUnderWay } from './concurrency/goal-gradient.js';
import type { TargetTimes } from './concurrency/goal-gradient.js';
import { ModelAdmission } from './concurrency/model-admission.js';
import { aimedShare } from './concurrency/shedder.js';
import { TenantShares } from './concurrency/tenant-shares.js';
import type { Sharer } from './concurrency/tenant-shares.js';

/** Requests of models are of several rows now and then; the mean is over about so many. */
const rowSamples = 64;

/** Until the model's times are known nobody should be refused for want of them; what is too much is taken back within two goals. */
const initialRequests = 256;
/** One runs at a target, one is staged there, and one gathers here. */
const batchesOfTarget = 3;

/** Everything that the adaptive limit of one model needs and keeps. */
export class ModelLimit {
  readonly #goal: LatencyGoal;
  readonly #limit: GoalGradient;
  readonly #classes: AdmissionClasses;
  readonly #admission: ModelAdmission;
  readonly #tenants = new TenantShares<Sharer>();
  #meanRows = 1;

  constructor(goal: LatencyGoal, classes: AdmissionClasses) {
    this.#goal = goal;
    this.#limit = new GoalGradient({ goal, initial: initialRequests });
    this.#classes = classes;
    this.#admission = new ModelAdmission(this.#limit, classes.ranks, classes.tiers);
  }

  get underWay(): number {
    return this.#admission.underWay;
  }

  get limit(): number {
    return this.#admission.limit;
  }

  /** Undefined: it is let in, and ended() or left() must follow. */
  admit(band: number, tenant: LimitedTenant | undefined, rows: number, returning: boolean, nowMs: number): Refusal | undefined {
    this.#meanRows += (Math.max(rows, 1) - this.#meanRows) / rowSamples;
    const modest = tenant !== undefined && this.#tenants.isWithin(tenant, this.#admission.aimed);
    const refusal = this.#admission.admit(this.#classOf(band, tenant), returning, nowMs, modest);
    if (refusal === undefined && tenant !== undefined) this.#tenants.entered(tenant);
    return refusal;
  }

  /** Answered, or expired (`latencyMs` Infinity). `serviceMs`: of that the run alone. */
  ended(band: number, tenant: LimitedTenant | undefined, latencyMs: number, serviceMs: number | undefined, nowMs: number): void {
    if (tenant !== undefined) this.#tenants.left(tenant);
    this.#admission.ended(this.#classOf(band, tenant), latencyMs, serviceMs, nowMs);
  }

  /** Gone without an answer that tells of latency. */
  left(tenant: LimitedTenant | undefined): void {
    if (tenant !== undefined) this.#tenants.left(tenant);
    this.#admission.left();
  }

  setPressure(pressure: number): void {
    this.#admission.setPressure(pressure);
  }

  #classOf(band: number, tenant: LimitedTenant | undefined): AdmissionClass {
    return this.#classes.of(band, tenant?.policy.name ?? '');
  }

  /** What the model's targets need to be busy in good batches; none known: as it was. */
  setTargets(times: readonly TargetTimes[], maxBatchRows: number): void {
    if (times.length === 0) return;
    const rows = leastUnderWay(times, Math.max(maxBatchRows, 1), this.#goal, batchesOfTarget);
    this.#limit.setLeast(rows / this.#meanRows / aimedShare);
  }
}

/** Whose request it is; undefined without a traffic policy. */
export interface LimitedTenant extends Sharer {
  readonly policy: { readonly name: string };
}

/** What tells tiers apart here. */
type LimitedTier = Pick<TierPolicy, 'name' | 'weight'>;

interface LearntFor {
  /** SLO, bands and tiers in force while it learnt. */
  readonly key: string;
  readonly limit: ModelLimit;
  /** Where the key was last found to hold. */
  policy: ModelPolicy;
  tiersKey: string;
}

/** The limits of the models that have an SLO; one without is limited by its queue alone. */
export class ModelLimits {
  readonly #limits = new Map<string, LearntFor>();
  #tiers: readonly LimitedTier[] = [];
  #tiersKey = '';
  #pressure = 0;

  setTiers(tiers: readonly LimitedTier[]): void {
    this.#tiers = tiers;
    this.#tiersKey = tiers.map(({ name, weight }) => `${name}\u0000${weight}`).join('\u0001');
  }

  /** To be asked only for models that are served: the names are kept. With another SLO or other tiers it learns anew. */
  of(model: string, policy: ModelPolicy): ModelLimit | undefined {
    const { slo } = policy;
    if (slo === undefined) return undefined;
    const known = this.#limits.get(model);
    // Policies are replaced as a whole: the same one is the usual case, and costs no comparison of what it says.
    if (known !== undefined && known.policy === policy && known.tiersKey === this.#tiersKey) return known.limit;
    const key = keyOf(slo, policy.priority.bands, this.#tiersKey);
    if (known?.key === key) {
      known.policy = policy;
      known.tiersKey = this.#tiersKey;
      return known.limit;
    }
    const classes = new AdmissionClasses(policy.priority.bands, this.#tiers);
    const limit = new ModelLimit({ percentile: slo.percentile, latencyMs: slo.latencyMs }, classes);
    limit.setPressure(this.#pressure);
    this.#limits.set(model, { key, limit, policy, tiersKey: this.#tiersKey });
    return limit;
  }

  known(model: string): ModelLimit | undefined {
    return this.#limits.get(model)?.limit;
  }

  names(): readonly string[] {
    return [...this.#limits.keys()];
  }

  /** Those of models that are gone, or have no SLO any more. */
  keep(wanted: (model: string) => boolean): void {
    for (const model of this.#limits.keys()) if (!wanted(model)) this.#limits.delete(model);
  }

  /** 0..1: what the machine's state takes from every limit. */
  setPressure(pressure: number): void {
    this.#pressure = pressure;
    for (const { limit } of this.#limits.values()) limit.setPressure(pressure);
  }
}

function keyOf({ percentile, latencyMs }: SloPolicy, bands: number, tiers: string): string {
  return `${percentile}/${latencyMs}/${bands}/${tiers}`;
}
