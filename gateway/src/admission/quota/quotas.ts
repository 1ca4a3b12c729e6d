import { refuse } from '@headrace/runtime';
import type { Refusal, RefusalReason } from '@headrace/runtime';
import type { Quota, TierPolicy } from '../../domain/traffic.js';
import { CellBlocks } from './cells.js';
import type { Cells } from './cells.js';
import type { LeaseAccount } from './lease/account.js';
import { SharedScope } from './lease/shared-scope.js';
import type { SharedBuckets } from './lease/shared-buckets.js';
import { LocalScope } from './local-scope.js';
import { scopeCells } from './scope.js';
import type { QuotaScope } from './scope.js';

/** Whoever owns the tenants gives each this place and these numbers; only Quotas reads and writes what is in them. */
export interface QuotaTenant extends Cells {
  readonly name: string;
  /** The one in force: another object after a reload. */
  readonly policy: TierPolicy;
  /** Undefined until the first request. */
  quota: QuotaScope | undefined;
}

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
    const one = this.#scopeOf(tenant, quota, model, nowMs);
    const allowed = quota.allows(computeMs, nowMs);
    const allowedHere = one === undefined || one.allows(computeMs, nowMs);
    const room = !quota.full && one?.full !== true;
    const sure = this.#shared === undefined || this.#shared.answers(quota.account, quota, one, computeMs, nowMs);
    if (allowed && allowedHere && room && sure) {
      this.#shared?.admitted(quota, one, computeMs, nowMs);
      quota.enter(computeMs, nowMs);
      one?.enter(computeMs, nowMs);
      this.#shared?.touch(quota.account);
      return undefined;
    }
    this.#shared?.touch(quota.account);
    const refusal = sure ? explain(tenant.policy.name, quota, one, computeMs, nowMs) : unavailable;
    this.#refused[refusal.reason] += 1;
    return refusal;
  }

  /** Undoes a `take` of a request that a later step refused before it used anything. */
  giveBack(tenant: QuotaTenant, model: string, computeMs: number, nowMs: number): void {
    const quota = this.#known(tenant);
    if (quota === undefined) return;
    quota.giveBack(computeMs, nowMs);
    quota.models?.get(model)?.giveBack(computeMs, nowMs);
    this.#shared?.touch(quota.account);
  }

  /** A request that was admitted has ended, however it ended. */
  release(tenant: QuotaTenant, model: string, nowMs: number): void {
    const quota = this.#known(tenant);
    if (quota === undefined) return;
    quota.release(nowMs);
    quota.models?.get(model)?.release(nowMs);
  }

  /** True when the tenant's state may be dropped and nobody would notice. */
  atRest(tenant: QuotaTenant, nowMs: number): boolean {
    const quota = this.#known(tenant);
    if (quota === undefined) return true;
    if (!quota.atRest(nowMs)) return false;
    for (const scope of quota.models?.values() ?? []) if (!scope.atRest(nowMs)) return false;
    return true;
  }

  use(tenant: QuotaTenant, nowMs: number): QuotaUse {
    const quota = this.#quotaOf(tenant, nowMs);
    return {
      requestsLeft: quota.requestsLeft(nowMs),
      computeLeftMs: quota.computeLeftMs(nowMs),
      underWay: quota.underWay,
    };
  }

  /** Ends orderly: what is held of a fleet's goes back. Bounded in time. */
  async close(): Promise<void> {
    await this.#shared?.close();
    this.#onClosed?.();
  }

  #known({ quota }: QuotaTenant): QuotaScope | undefined {
    return quota?.owner === this ? quota : undefined;
  }

  #quotaOf(tenant: QuotaTenant, nowMs: number): QuotaScope {
    const known = tenant.quota;
    if (known !== undefined && known.owner === this) {
      if (known.quota !== tenant.policy) follow(known, tenant.policy, nowMs);
      return known;
    }
    const opened = this.#open(undefined, tenant.policy, tenant, this.#shared?.open(tenant.name), nowMs);
    tenant.quota = opened;
    return opened;
  }

  /** The limits for this model alone; undefined: the policy has none. */
  #scopeOf({ policy }: QuotaTenant, all: QuotaScope, model: string, nowMs: number): QuotaScope | undefined {
    if (policy.models.size === 0) return undefined;
    const known = all.models?.get(model);
    if (known !== undefined) return known;
    const quota = policy.models.get(model);
    if (quota === undefined) return undefined;
    const scope = this.#open(model, quota, modelBlocks.next(), all.account, nowMs);
    all.models ??= new Map();
    all.models.set(model, scope);
    return scope;
  }

  #open(model: string | undefined, quota: Quota, { cells, at }: Cells, account: LeaseAccount | undefined, nowMs: number): QuotaScope {
    const options = { owner: this, model, quota, cells, at };
    return account === undefined ? new LocalScope(options, nowMs) : new SharedScope(options, account, nowMs);
  }
}

/** For limits of one model; those over all models lie among the tenant's own cells. */
const modelBlocks = new CellBlocks(scopeCells.all);

/** Takes a reloaded policy over; nothing that was used is forgotten. */
function follow(all: QuotaScope, policy: TierPolicy, nowMs: number): void {
  all.refit(policy, nowMs);
  for (const [model, scope] of all.models ?? []) {
    const quota = policy.models.get(model);
    if (quota !== undefined) scope.refit(quota, nowMs);
    else all.models?.delete(model);
  }
}

type QuotaRefusal = Refusal & { readonly reason: QuotaReason };

function refuseQuota(reason: QuotaReason, message: string, retryAfterMs?: number): QuotaRefusal {
  return { ...refuse(reason, message, retryAfterMs === undefined ? {} : { retryAfterMs }), reason };
}

const unavailable = refuseQuota('LIMITER_UNAVAILABLE', 'quota: expected an answer of the store that the fleet shares, got none', 1_000);

/** The limit that holds the request back longest; a place among those under way comes first, as no time is known for it. */
function explain(tier: string, all: QuotaScope, one: QuotaScope | undefined, computeMs: number, nowMs: number): QuotaRefusal {
  const scopes = one === undefined ? [all] : [all, one];
  const waits = scopes.flatMap((scope) => [
    { scope, kind: 'requests' as const, waitMs: scope.requestsWaitMs(nowMs) },
    { scope, kind: 'compute' as const, waitMs: scope.computeWaitMs(computeMs, nowMs) },
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
