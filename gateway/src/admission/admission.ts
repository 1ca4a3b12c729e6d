import type { Refusal, RefusalReason } from '@headrace/runtime';
import type { GatewayTable, ModelPolicy } from '../domain/gateway-table.js';
import type { Tenant } from '../domain/tenant.js';
import { anonymous } from '../domain/traffic.js';
import type { Caller, SharedQuotaPolicy, TrafficPolicy } from '../domain/traffic.js';
import { ModelLimits } from './model-limits.js';
import type { ModelLimit } from './model-limits.js';
import type { KnownTenant } from './policy/known-tenant.js';
import { TenantDirectory } from './policy/tenant-directory.js';
import { Quotas } from './quota/quotas.js';
import { ReferenceCosts } from './quota/reference-costs.js';
import type { ObservedCost } from './quota/reference-costs.js';

export interface AdmissionOptions {
  readonly table: GatewayTable;
  /** Opens the store of a fleet's quotas; undefined: none, each gateway counts for itself. */
  readonly openQuotas?: (shared: SharedQuotaPolicy | undefined) => Quotas;
  /** In shadow mode: what would have been refused. */
  readonly onShadow?: (tenant: Tenant, model: string, reason: RefusalReason) => void;
}

/** A request as admission sees it. */
export interface Entrant {
  /** Undefined without a traffic policy. */
  readonly tenant: Tenant | undefined;
  readonly model: string;
  readonly policy: ModelPolicy;
  /** The version that answers, as far as it is known. */
  readonly revision: string;
  readonly rows: number;
  readonly band: number;
  /** It says that it was refused before. */
  readonly returning: boolean;
}

/** What a request that was let in holds, until release() or giveBack(). */
export interface Grant {
  readonly tenant: KnownTenant | undefined;
  readonly model: string;
  /** Undefined: no quota was charged. */
  readonly quotas: Quotas | undefined;
  readonly computeMs: number;
  readonly limit: ModelLimit | undefined;
  readonly band: number;
}

/** How a request ended, as far as it says something of the model's latency. */
export interface Ending {
  /** From arrival to answer; Infinity: expired; undefined: says nothing (cancelled, failed). */
  readonly latencyMs: number | undefined;
  /** Of that the run alone; undefined when unknown. */
  readonly serviceMs: number | undefined;
  /** False: it was turned away before it could use what it was charged, by no fault of its own. */
  readonly used: boolean;
}

const free: Grant = { tenant: undefined, model: '', quotas: undefined, computeMs: 0, limit: undefined, band: 0 };
/** The tier of all where no policy speaks. */
const everybody = { name: '', weight: 1 };

/**
 * Whether a request comes in. In this order, so that what is refused is charged nothing:
 *
 *     1. quotas of the tenant       RATE_LIMITED, COMPUTE_LIMITED, CONCURRENCY_LIMITED, LIMITER_UNAVAILABLE
 *     2. the model's limit          OVERLOADED         (refused: the quota is given back)
 *     later: memory, queue, deadline                   (refused: giveBack)
 *
 * Synchronous; nothing is allocated for a request where neither a policy nor an SLO speaks.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #limits = new ModelLimits();
  readonly #costs = new ReferenceCosts();
  #traffic: TrafficPolicy | undefined;
  #tenants: TenantDirectory | undefined;
  #quotas: Quotas;
  #sharedKey: string;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    const { traffic } = options.table;
    this.#sharedKey = JSON.stringify(traffic?.shared);
    this.#quotas = this.#openQuotas(traffic?.shared);
    this.#use(traffic);
  }

  /** Undefined where no traffic policy is in force. */
  tenantOf(caller: Caller | undefined, nowMs: number): Tenant | undefined {
    return this.#tenants?.tenantOf(caller ?? anonymous, nowMs);
  }

  admit(entrant: Entrant, nowMs: number): Grant | Refusal {
    const { model, policy } = entrant;
    // Only the directory makes tenants.
    const tenant = entrant.tenant as KnownTenant | undefined;
    const limit = this.#limits.of(model, policy);
    if (tenant === undefined && limit === undefined) return free;
    const { shadow } = this;
    let quotas: Quotas | undefined;
    let computeMs = 0;
    if (tenant !== undefined) {
      computeMs = this.#costs.chargeMs(model, entrant.revision, entrant.rows, policy.referenceMs);
      const refusal = this.#quotas.take(tenant, model, computeMs, nowMs);
      if (refusal === undefined) quotas = this.#quotas;
      else if (shadow) this.#shadowed(tenant, model, refusal);
      else return refusal;
    }
    let counted = limit;
    const refusal = limit?.admit(entrant.band, tenant, entrant.rows, entrant.returning, nowMs);
    if (refusal !== undefined) {
      if (tenant === undefined) return refusal;
      if (!shadow) {
        quotas?.giveBack(tenant, model, computeMs, nowMs);
        return refusal;
      }
      this.#shadowed(tenant, model, refusal);
      counted = undefined;
    }
    if (tenant !== undefined) {
      tenant.underWay += 1;
      tenant.admitted += 1;
      tenant.computeMs += computeMs;
    }
    return { tenant, model, quotas, computeMs, limit: counted, band: entrant.band };
  }

  /** A later step refused it: as if it had never come. */
  giveBack(grant: Grant, nowMs: number): void {
    const { tenant, quotas, model, computeMs, limit } = grant;
    limit?.left(tenant);
    if (tenant === undefined) return;
    quotas?.giveBack(tenant, model, computeMs, nowMs);
    tenant.underWay -= 1;
    tenant.admitted -= 1;
    tenant.computeMs -= computeMs;
  }

  /** No model took it: once for a request, however many were tried. */
  refused(tenant: Tenant | undefined, refusal: Refusal): void {
    // Only the directory makes tenants.
    if (tenant !== undefined) countRefusal(tenant as KnownTenant, refusal);
  }

  /** It has ended, however it ended. */
  release({ tenant, quotas, model, computeMs, limit, band }: Grant, ending: Ending, nowMs: number): void {
    if (limit !== undefined) {
      if (ending.latencyMs === undefined) limit.left(tenant);
      else limit.ended(band, tenant, ending.latencyMs, ending.serviceMs, nowMs);
    }
    if (tenant === undefined) return;
    if (ending.used) quotas?.release(tenant, model, nowMs);
    else quotas?.giveBack(tenant, model, computeMs, nowMs);
    tenant.underWay -= 1;
  }

  /** Whether runs of it still say something of what a row costs. */
  learns(model: string, revision: string): boolean {
    return this.#tenants !== undefined && !this.#costs.frozen(model, revision);
  }

  /** A run ended; `fit`: what is known of the model's times by now. */
  observeRun(model: string, revision: string, rows: number, runMs: number, fit: ObservedCost | undefined): void {
    this.#costs.observe(model, revision, rows, runMs, fit);
  }

  limitOf(model: string): ModelLimit | undefined {
    return this.#limits.known(model);
  }

  limitedModels(): readonly string[] {
    return this.#limits.names();
  }

  keepModels(wanted: (model: string) => boolean): void {
    this.#limits.keep(wanted);
  }

  /** 0..1: what the machine's state takes from every model's limit. */
  setPressure(pressure: number): void {
    this.#limits.setPressure(pressure);
  }

  setTable({ traffic }: GatewayTable): void {
    const key = JSON.stringify(traffic?.shared);
    if (key !== this.#sharedKey) {
      void this.#quotas.close();
      this.#sharedKey = key;
      this.#quotas = this.#openQuotas(traffic?.shared);
    }
    this.#use(traffic);
  }

  /** Forgets tenants that have been idle for long; for a slow timer. */
  sweep(nowMs: number): void {
    this.#tenants?.sweep(nowMs);
  }

  get tenants(): TenantDirectory | undefined {
    return this.#tenants;
  }

  get quotas(): Quotas {
    return this.#quotas;
  }

  get shadow(): boolean {
    return this.#traffic?.shadow === true;
  }

  async close(): Promise<void> {
    await this.#quotas.close();
  }

  #openQuotas(shared: SharedQuotaPolicy | undefined): Quotas {
    return this.#options.openQuotas?.(shared) ?? new Quotas();
  }

  #use(traffic: TrafficPolicy | undefined): void {
    this.#traffic = traffic;
    if (traffic === undefined) this.#tenants = undefined;
    else if (this.#tenants === undefined)
      this.#tenants = new TenantDirectory(traffic, { atRest: (tenant, nowMs) => this.#quotas.atRest(tenant, nowMs) });
    else this.#tenants.use(traffic);
    this.#limits.setTiers(traffic === undefined ? [everybody] : [...new Set([...traffic.tiers.values(), traffic.defaultTier])]);
  }

  #shadowed(tenant: KnownTenant, model: string, refusal: Refusal): void {
    countRefusal(tenant, refusal);
    this.#options.onShadow?.(tenant, model, refusal.reason);
  }
}

function countRefusal(tenant: KnownTenant, refusal: Refusal): void {
  const counts = (tenant.refused ??= new Map());
  counts.set(refusal.reason, (counts.get(refusal.reason) ?? 0) + 1);
}
