import { refuse } from '@headrace/runtime';
import type { Refusal, RefusalReason } from '@headrace/runtime';
import { GcraBucket } from './bucket.js';
import type { SharedBuckets } from './lease/shared-buckets.js';
import type { QuotaScope } from './scope.js';
import { TenantQuota } from './tenant-quota.js';
import type { QuotaTenant } from './tenant-quota.js';

/** Why a quota refuses. */
export type QuotaReason = Extract<RefusalReason, 'RATE_LIMITED' | 'COMPUTE_LIMITED' | 'CONCURRENCY_LIMITED' | 'LIMITER_UNAVAILABLE'>;

export interface QuotasOptions {
  /** Absent: this gateway counts for itself. */
  readonly shared?: SharedBuckets;
  /** After close() has given back what was held. */
  readonly onClosed?: () => void;
}

/** What one tenant has left, for people. Infinity: no limit; in a fleet what this gateway could admit by itself. */
export interface QuotaUse {
  readonly requestsLeft: number;
  readonly computeLeftMs: number;
  readonly underWay: number;
  readonly admitted: number;
  readonly refused: number;
}

/**
 * The quotas of all tenants. Synchronous, and without garbage where a request is admitted; what a tenant has used hangs on the tenant.
 *
 *     const refusal = quotas.take(tenant, model, computeMs, nowMs);
 *     if (refusal !== undefined && !policy.shadow) return refusal;   // in shadow mode: count refusal.reason and go on
 *     const charged = refusal === undefined;
 *     ... a later step refuses:  if (charged) quotas.giveBack(tenant, model, computeMs, nowMs)
 *     ... the request has ended: if (charged) quotas.release(tenant, model, nowMs)
 *
 * A request that is refused is charged nothing, in shadow mode as well, so that shadow mode counts what enforcing would refuse.
 */
export class Quotas {
  readonly #shared: SharedBuckets | undefined;
  readonly #onClosed: (() => void) | undefined;
  readonly #refused: Record<QuotaReason, number> = {
    RATE_LIMITED: 0,
    COMPUTE_LIMITED: 0,
    CONCURRENCY_LIMITED: 0,
    LIMITER_UNAVAILABLE: 0,
  };

  constructor(options: QuotasOptions = {}) {
    this.#onClosed = options.onClosed;
    this.#shared = options.shared;
  }

  /** How the fleet's store is doing; undefined: this gateway counts for itself. */
  get shared(): Pick<SharedBuckets, 'failing' | 'counts'> | undefined {
    return this.#shared;
  }

  /** Refusals so far by reason, those in shadow mode included. */
  get refused(): Readonly<Record<QuotaReason, number>> {
    return this.#refused;
  }

  /**
   * Charges one request and `computeMs` (rows x reference cost) to the tenant, and to the tenant at this model where the policy limits
   * that too: all of them or none. A refusal's `retryAfterMs` is when the same request would pass if no other came.
   */
  take(tenant: QuotaTenant, model: string, computeMs: number, nowMs: number): Refusal | undefined {
    const quota = this.#quotaOf(tenant, nowMs);
    const one = quota.of(model, nowMs);
    const allowed = quota.allows(computeMs, nowMs);
    const allowedHere = one === undefined || one.allows(computeMs, nowMs);
    const room = !quota.full && one?.full !== true;
    const sure = this.#shared === undefined || this.#shared.answers(quota.account, quota, one, computeMs, nowMs);
    if (allowed && allowedHere && room && sure) {
      quota.enter(computeMs, nowMs);
      one?.enter(computeMs, nowMs);
      quota.admitted += 1;
      this.#shared?.touch(quota.account);
      return undefined;
    }
    this.#shared?.touch(quota.account);
    const refusal = sure ? explain(quota.policy.name, quota, one, computeMs, nowMs) : unavailable;
    quota.refused += 1;
    this.#refused[refusal.reason] += 1;
    return refusal;
  }

  /** Undoes a `take` of a request that a later step refused before it used anything. */
  giveBack(tenant: QuotaTenant, model: string, computeMs: number, nowMs: number): void {
    const quota = this.#known(tenant);
    quota?.giveBack(computeMs, nowMs);
    quota?.of(model, nowMs)?.giveBack(computeMs, nowMs);
    this.#shared?.touch(quota?.account);
  }

  /** A request that was admitted has ended, however it ended. */
  release(tenant: QuotaTenant, model: string, nowMs: number): void {
    const quota = this.#known(tenant);
    quota?.release(nowMs);
    quota?.of(model, nowMs)?.release(nowMs);
  }

  /** True when the tenant's state may be dropped and nobody would notice. */
  atRest(tenant: QuotaTenant, nowMs: number): boolean {
    return this.#known(tenant)?.atRest(nowMs) ?? true;
  }

  use(tenant: QuotaTenant, nowMs: number): QuotaUse {
    const quota = this.#quotaOf(tenant, nowMs);
    return {
      requestsLeft: quota.requests?.left(nowMs) ?? Infinity,
      computeLeftMs: quota.compute?.left(nowMs) ?? Infinity,
      underWay: quota.underWay,
      admitted: quota.admitted,
      refused: quota.refused,
    };
  }

  /** Ends orderly: what is held of a fleet's goes back. Bounded in time. */
  async close(): Promise<void> {
    await this.#shared?.close();
    this.#onClosed?.();
  }

  #known({ quota }: QuotaTenant): TenantQuota | undefined {
    return quota?.owner === this ? quota : undefined;
  }

  #quotaOf(tenant: QuotaTenant, nowMs: number): TenantQuota {
    const known = tenant.quota;
    if (known !== undefined && known.owner === this) {
      known.follow(tenant.policy, nowMs);
      return known;
    }
    const account = this.#shared?.open(tenant.name);
    const openScope = account === undefined ? openLocal : (this.#shared?.scopes(account) ?? openLocal);
    const quota = new TenantQuota(this, tenant.policy, openScope, account, nowMs);
    tenant.quota = quota;
    return quota;
  }
}

const openLocalBucket = (_kind: 'r' | 'c', ratePerSecond: number, burst: number, nowMs: number): GcraBucket =>
  new GcraBucket(ratePerSecond, burst, nowMs);
const openLocal = (): typeof openLocalBucket => openLocalBucket;

type QuotaRefusal = Refusal & { readonly reason: QuotaReason };

function refuseQuota(reason: QuotaReason, message: string, retryAfterMs?: number): QuotaRefusal {
  return { ...refuse(reason, message, retryAfterMs === undefined ? {} : { retryAfterMs }), reason };
}

const unavailable = refuseQuota('LIMITER_UNAVAILABLE', 'quota: expected an answer of the store that the fleet shares, got none', 1_000);

/** The limit that holds the request back longest; a place among those under way comes first, as no time is known for it. */
function explain(tier: string, all: QuotaScope, one: QuotaScope | undefined, computeMs: number, nowMs: number): QuotaRefusal {
  const scopes = one === undefined ? [all] : [all, one];
  const waits = scopes.flatMap((scope) => [
    { scope, kind: 'requests' as const, waitMs: scope.requests?.waitMs(1, nowMs) ?? 0 },
    { scope, kind: 'compute' as const, waitMs: scope.compute?.waitMs(computeMs, nowMs) ?? 0 },
  ]);
  const longest = waits.reduce((a, b) => (b.waitMs > a.waitMs ? b : a));
  const full = scopes.find((scope) => scope.full);
  if (full !== undefined) {
    const message = `${whose(tier, full)} concurrency: expected at most ${full.quota.concurrency} requests under way, ${full.underWay} are`;
    return refuseQuota('CONCURRENCY_LIMITED', message, finite(Math.max(full.releaseGapMs, longest.waitMs)));
  }
  const { quota } = longest.scope;
  if (longest.kind === 'requests') {
    const message = `${whose(tier, longest.scope)} requestsPerSecond: expected at most ${quota.requestsPerSecond} after ${quota.burst} at once, one more came`;
    return refuseQuota('RATE_LIMITED', message, finite(longest.waitMs));
  }
  const message = `${whose(tier, longest.scope)} computeMillisecondsPerSecond: expected at most ${quota.computeMsPerSecond} after ${quota.computeBurstMs} ms at once, a request of ${computeMs} ms came`;
  return refuseQuota('COMPUTE_LIMITED', message, finite(longest.waitMs));
}

/** What never passes has no time after which it does. */
function finite(waitMs: number): number | undefined {
  return Number.isFinite(waitMs) ? waitMs : undefined;
}

function whose(tier: string, scope: QuotaScope): string {
  return scope.model === undefined
    ? `tier ${JSON.stringify(tier)},`
    : `tier ${JSON.stringify(tier)}, model ${JSON.stringify(scope.model)},`;
}
