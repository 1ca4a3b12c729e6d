import type { TierPolicy } from '../../domain/traffic.js';
import type { LeaseAccount } from './lease/keeper.js';
import { QuotaScope } from './scope.js';
import type { OpenBucket } from './scope.js';

/** Whoever owns the tenants gives each this one place; only Quotas reads and writes what is in it. */
export interface QuotaTenant {
  readonly name: string;
  /** The one in force: another object after a reload. */
  readonly policy: TierPolicy;
  /** Undefined until the first request. */
  quota: TenantQuota | undefined;
}

/** Makes the buckets of a scope. */
export type OpenScope = (model: string | undefined) => OpenBucket;

/** What Quotas knows of a tenant: its limits over all models, and beside them those for some. */
export class TenantQuota extends QuotaScope {
  /** The Quotas that made it: under another one, with another store of a fleet's quotas, counting starts anew. */
  readonly owner: object;
  /** Where buckets are shared. */
  readonly account: LeaseAccount | undefined;
  admitted = 0;
  refused = 0;
  readonly #openScope: OpenScope;
  #policy: TierPolicy;
  /** Only models that the policy limits. */
  #models: Map<string, QuotaScope> | undefined;

  constructor(owner: object, policy: TierPolicy, openScope: OpenScope, account: LeaseAccount | undefined, nowMs: number) {
    super(undefined, policy, openScope(undefined), nowMs);
    this.owner = owner;
    this.#policy = policy;
    this.#openScope = openScope;
    this.account = account;
  }

  get policy(): TierPolicy {
    return this.#policy;
  }

  /** Takes a reloaded policy over; nothing that was used is forgotten. */
  follow(policy: TierPolicy, nowMs: number): void {
    if (policy === this.#policy) return;
    this.#policy = policy;
    this.refit(policy, nowMs);
    for (const [model, scope] of this.#models ?? []) {
      const quota = policy.models.get(model);
      if (quota !== undefined) scope.refit(quota, nowMs);
      else this.#models?.delete(model);
    }
  }

  /** The limits for this model alone; undefined: the policy has none. */
  of(model: string, nowMs: number): QuotaScope | undefined {
    if (this.#policy.models.size === 0) return undefined;
    const known = this.#models?.get(model);
    if (known !== undefined) return known;
    const quota = this.#policy.models.get(model);
    if (quota === undefined) return undefined;
    const scope = new QuotaScope(model, quota, this.#openScope(model), nowMs);
    this.#models ??= new Map();
    this.#models.set(model, scope);
    return scope;
  }

  override atRest(nowMs: number): boolean {
    if (!super.atRest(nowMs)) return false;
    for (const scope of this.#models?.values() ?? []) if (!scope.atRest(nowMs)) return false;
    return this.account === undefined || (!this.account.queued && this.account.exchange === undefined);
  }
}
