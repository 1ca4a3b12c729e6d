import type { Tenant } from '../../domain/tenant.js';
import type { Caller, TierPolicy, TrafficPolicy } from '../../domain/traffic.js';
import { EvictionOrder } from './eviction-order.js';
import { KnownTenant, otherTenants } from './known-tenant.js';

export interface TenantDirectoryOptions {
  /** Tenants that the policy does not name; above it one that was not used of late goes. Default 100,000. */
  readonly maxUnnamed?: number;
  /** One that sent nothing for so long and is at rest is forgotten, at the latest after twice as long. Default 10 minutes. */
  readonly idleMs?: number;
  /** True when nobody would notice that it was forgotten: no debt, nothing held. Default: of any. */
  readonly atRest?: (tenant: KnownTenant, nowMs: number) => boolean;
  /** A tenant was forgotten. */
  readonly onForget?: (tenant: Tenant) => void;
}

/** Tenants that are labels of metrics: with every reason they make some thousand series. */
const maxLabels = 200;
/** How many an insertion looks at, so that one request never pays for a long row of busy or idle tenants. */
const maxSteps = 16;

/**
 * From a caller to its tenant, by one map look-up and without allocation for a known one. Callers may invent names, so
 * what the policy does not name is bounded in number and forgotten when idle; the policy's own tenants stay.
 */
export class TenantDirectory {
  readonly #tenants = new Map<string, KnownTenant>();
  readonly #order = new EvictionOrder();
  readonly #maxUnnamed: number;
  readonly #idleMs: number;
  readonly #atRest: (tenant: KnownTenant, nowMs: number) => boolean;
  readonly #onForget: (tenant: Tenant) => void;
  readonly #anonymous: KnownTenant;
  #policy: TrafficPolicy;

  constructor(policy: TrafficPolicy, options: TenantDirectoryOptions = {}) {
    const { maxUnnamed = 100_000, idleMs = 600_000, atRest = () => true, onForget = () => undefined } = options;
    this.#policy = policy;
    this.#maxUnnamed = maxUnnamed;
    this.#idleMs = idleMs;
    this.#atRest = atRest;
    this.#onForget = onForget;
    this.#anonymous = new KnownTenant('', policy.defaultTier, false, undefined);
    this.use(policy);
  }

  /** Known ones beside the anonymous. */
  get size(): number {
    return this.#tenants.size;
  }

  /** The one that stands for all callers whom nothing names. */
  get anonymous(): KnownTenant {
    return this.#anonymous;
  }

  known(name: string): KnownTenant | undefined {
    return name === '' ? this.#anonymous : this.#tenants.get(name);
  }

  all(): IterableIterator<KnownTenant> {
    return this.#tenants.values();
  }

  /** Those of the policy, in its order, whether they called or not. */
  named(): readonly KnownTenant[] {
    return [...this.#policy.tenants.keys()].flatMap((name) => this.#tenants.get(name) ?? []);
  }

  /** @param nowMs Clock.nowMs() */
  tenantOf(caller: Caller, nowMs: number): KnownTenant {
    if (caller.tenant === '') return this.#anonymous;
    const known = this.#tenants.get(caller.tenant);
    if (known === undefined) return this.#learn(caller, nowMs);
    known.usedMs = Math.floor(nowMs);
    known.usedAgain = true;
    // The last word counts: a token with another tier must not wait until the tenant is forgotten.
    if (known.claimedTier !== caller.tier) {
      known.claimedTier = caller.tier;
      known.policy = this.#policyOf(known);
    }
    return known;
  }

  /** Tenants keep their object; their policy is swapped. Takes some 10 ms for 100,000 tenants. */
  use(policy: TrafficPolicy): void {
    this.#policy = policy;
    this.#anonymous.policy = policy.defaultTier;
    for (const tenant of this.#tenants.values()) this.#reclassify(tenant);
    for (const { name, policy: own } of policy.tenants.values()) {
      if (!this.#tenants.has(name)) this.#tenants.set(name, new KnownTenant(name, own, true, undefined));
    }
    let labels = 0;
    for (const name of policy.tenants.keys()) {
      const tenant = this.#tenants.get(name);
      if (tenant !== undefined) tenant.label = labels++ < maxLabels ? name : otherTenants;
    }
    while (this.#order.size > this.#maxUnnamed && this.#order.oldest !== undefined) this.#forget(this.#order.oldest);
  }

  /** Forgets what is idle, at most `max` in one go; true when there may be more. For a slow timer; insertions do some of it as well. */
  sweep(nowMs: number, max = 1000): boolean {
    for (let i = 0; i < max; i++) {
      const { oldest } = this.#order;
      if (oldest === undefined || nowMs - oldest.renewedMs < this.#idleMs) return false;
      if (oldest.underWay > 0 || nowMs - oldest.usedMs < this.#idleMs || !this.#atRest(oldest, nowMs)) this.#renew(oldest, nowMs);
      else this.#forget(oldest);
    }
    return true;
  }

  #learn(caller: Caller, nowMs: number): KnownTenant {
    this.sweep(nowMs, maxSteps);
    this.#makeRoom(nowMs);
    const tenant = new KnownTenant(caller.tenant, this.#policy.defaultTier, false, caller.tier);
    tenant.policy = this.#policyOf(tenant);
    tenant.usedMs = Math.floor(nowMs);
    tenant.renewedMs = tenant.usedMs;
    this.#tenants.set(tenant.name, tenant);
    this.#order.add(tenant);
    return tenant;
  }

  /**
   * Who has requests under way, came again or has not paid for what came stays, or a flood of names would forgive debts. The bound holds also
   * where that is so of all: then the oldest goes, and its requests keep its object.
   */
  #makeRoom(nowMs: number): void {
    for (let i = 0; this.#order.size >= this.#maxUnnamed && this.#order.oldest !== undefined; i++) {
      const { oldest } = this.#order;
      if (i < maxSteps && (oldest.underWay > 0 || oldest.usedAgain || !this.#atRest(oldest, nowMs))) this.#renew(oldest, nowMs);
      else this.#forget(oldest);
    }
  }

  #renew(tenant: KnownTenant, nowMs: number): void {
    tenant.renewedMs = Math.floor(nowMs);
    this.#order.renew(tenant);
  }

  #forget(tenant: KnownTenant): void {
    this.#order.remove(tenant);
    this.#tenants.delete(tenant.name);
    this.#onForget(tenant);
  }

  #reclassify(tenant: KnownTenant): void {
    const named = this.#policy.tenants.has(tenant.name);
    if (named && !tenant.named) this.#order.remove(tenant);
    if (!named && tenant.named) {
      tenant.renewedMs = tenant.usedMs;
      this.#order.add(tenant);
    }
    tenant.named = named;
    if (!named) tenant.label = otherTenants;
    tenant.policy = this.#policyOf(tenant);
  }

  /** A tenant's own entry wins over a tier that its token or key names, and that over the default, as long as there is such a tier. */
  #policyOf({ name, claimedTier }: KnownTenant): TierPolicy {
    const own = this.#policy.tenants.get(name);
    if (own !== undefined) return own.policy;
    return (claimedTier === undefined ? undefined : this.#policy.tiers.get(claimedTier)) ?? this.#policy.defaultTier;
  }
}
