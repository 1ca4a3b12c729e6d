import { FakeClock } from '@headrace/runtime/testing';
import type { LeaseStore } from '../../../domain/lease-store.js';
import type { SharedQuotaPolicy, TierPolicy } from '../../../domain/traffic.js';
import { SharedBuckets } from '../lease/shared-buckets.js';
import { Quotas } from '../quotas.js';
import { MemoryLeaseStore } from './memory-store.js';
import { tenant } from './policy.js';
import type { TestTenant } from './policy.js';

export interface FleetOptions {
  readonly policy: TierPolicy;
  readonly gateways?: number;
  readonly latencyMs?: number;
  readonly onUnavailable?: SharedQuotaPolicy['onUnavailable'];
  /** What a gateway asks in place of the fleet's store in memory. */
  readonly storeOf?: (clock: FakeClock, gateway: number) => LeaseStore;
}

export interface FleetGateway {
  readonly quotas: Quotas;
  readonly shared: SharedBuckets;
  readonly tenant: TestTenant;
  /** Times of what was admitted. */
  readonly admittedMs: number[];
  offered: number;
}

/** Traffic: for each gateway the requests per second offered to it. */
export interface Offer {
  readonly perSecond: readonly number[];
  readonly forMs: number;
  /** Of each request; default 1. */
  readonly computeMs?: number;
  readonly model?: string;
}

/** Gateways of one fleet and one tenant on a fake clock, with the production code of all but the store. */
export class Fleet {
  readonly clock = new FakeClock();
  readonly store: MemoryLeaseStore;
  readonly gateways: readonly FleetGateway[];
  readonly #due: number[];

  constructor(options: FleetOptions) {
    this.store = new MemoryLeaseStore(this.clock, options.latencyMs ?? 1);
    this.gateways = Array.from({ length: options.gateways ?? 4 }, (_, index) => {
      const shared = new SharedBuckets({
        store: options.storeOf?.(this.clock, index) ?? this.store,
        clock: this.clock,
        onUnavailable: options.onUnavailable ?? 'localShare',
        gateway: `gateway${index}`,
      });
      return { quotas: new Quotas({ shared }), shared, tenant: tenant(options.policy), admittedMs: [], offered: 0 };
    });
    this.#due = this.gateways.map(() => 0);
  }

  /** Offers evenly spaced requests, a millisecond at a time; promises settle between milliseconds as they do between turns. */
  async run(offer: Offer): Promise<void> {
    for (let ms = 0; ms < offer.forMs; ms += 1) {
      for (const [index, gateway] of this.gateways.entries()) {
        this.#due[index] = (this.#due[index] ?? 0) + (offer.perSecond[index] ?? 0) / 1000;
        for (; (this.#due[index] ?? 0) >= 1 - 1e-9; this.#due[index] = (this.#due[index] ?? 0) - 1) this.take(gateway, offer);
      }
      this.clock.advance(1);
      await settle();
    }
  }

  take(gateway: FleetGateway, offer: Pick<Offer, 'computeMs' | 'model'> = {}): boolean {
    const nowMs = this.clock.nowMs();
    gateway.offered += 1;
    const refusal = gateway.quotas.take(gateway.tenant, offer.model ?? 'm', offer.computeMs ?? 1, nowMs);
    if (refusal !== undefined) return false;
    gateway.quotas.release(gateway.tenant, offer.model ?? 'm', nowMs);
    gateway.admittedMs.push(nowMs);
    return true;
  }

  /** Admitted by all since then. */
  admitted(sinceMs = 0): number {
    return this.gateways.reduce((sum, { admittedMs }) => sum + admittedMs.filter((atMs) => atMs >= sinceMs).length, 0);
  }

  /** The most that any window of any length held above `ratePerSecond` x its length. */
  worstExcess(ratePerSecond: number, sinceMs = 0): number {
    const times = this.gateways
      .flatMap(({ admittedMs }) => admittedMs)
      .filter((atMs) => atMs >= sinceMs)
      .toSorted((a, b) => a - b);
    // Kadane's maximum sum over what each admitted one adds and the time before it takes away.
    let worst = 0;
    let running = 0;
    for (const [index, atMs] of times.entries()) {
      const before = times[index - 1] ?? atMs;
      running = Math.max(0, running - ((atMs - before) * ratePerSecond) / 1000) + 1;
      worst = Math.max(worst, running);
    }
    return worst;
  }
}

/** Lets the promises of this turn run: an exchange's answer passes a handful of them. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 6; turn += 1) await Promise.resolve();
}
