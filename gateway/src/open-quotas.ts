import type { Clock, Logger } from '@headrace/runtime';
import type { ExchangeOutcome, LeaseMeter } from './admission/quota/lease/keeper.js';
import { SharedBuckets } from './admission/quota/lease/shared-buckets.js';
import { Quotas } from './admission/quota/quotas.js';
import { connectRedis } from './admission/quota/redis/connect.js';
import { RedisLeaseStore } from './admission/quota/redis/redis-store.js';
import type { LeaseStore } from './domain/lease-store.js';
import type { SharedQuotaPolicy } from './domain/traffic.js';
import type { GatewayMetrics } from './metrics.js';

type QuotaMetrics = Pick<GatewayMetrics, 'leaseExchangeSeconds' | 'leaseStoreFailing' | 'localShareAdmissions'>;

export interface QuotaSourceOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: QuotaMetrics;
  /** Shared by the worker processes of one gateway; undefined: it is alone. */
  readonly siblings?: LeaseStore | undefined;
}

/** Opens the quotas of the policy in force, and tells the metrics of those that are shared. */
export class QuotaSource {
  readonly #options: QuotaSourceOptions;
  /** Those before a reload too, until they have given back what they held. */
  readonly #open = new Set<SharedBuckets>();

  constructor(options: QuotaSourceOptions) {
    this.#options = options;
  }

  /** Tenants that this gateway holds a lease for now. */
  get heldLeases(): number {
    return [...this.#open].reduce((sum, { held }) => sum + held, 0);
  }

  /** Over the store that the policy names, else over the one of the sibling workers, else for this process alone. */
  open(shared: SharedQuotaPolicy | undefined): Quotas {
    const { clock, logger, metrics, siblings } = this.#options;
    if (shared === undefined) {
      return siblings === undefined
        ? new Quotas()
        : this.#over(new SharedBuckets({ store: siblings, clock, onUnavailable: 'localShare', meter: leaseMeter(metrics, 'workers') }));
    }
    const connection = connectRedis(shared.redis, logger);
    const store = new RedisLeaseStore(connection.client);
    const meter = leaseMeter(metrics, 'redis');
    return this.#over(new SharedBuckets({ store, clock, onUnavailable: shared.onUnavailable, meter }), () => connection.close());
  }

  #over(shared: SharedBuckets, close?: () => void): Quotas {
    this.#open.add(shared);
    const onClosed = (): void => {
      this.#open.delete(shared);
      close?.();
    };
    return new Quotas({ shared, onClosed });
  }
}

export function leaseMeter(metrics: QuotaMetrics, store: 'redis' | 'workers'): LeaseMeter {
  const seconds = (outcome: ExchangeOutcome): ((value: number) => void) => metrics.leaseExchangeSeconds.bound({ store, outcome });
  const exchanged = { answered: seconds('answered'), overtaken: seconds('overtaken'), failed: seconds('failed'), late: seconds('late') };
  const failing = metrics.leaseStoreFailing.bound({ store });
  return {
    exchanged: (outcome, durationMs) => exchanged[outcome](durationMs / 1000),
    failing: (now) => failing(now ? 1 : 0),
    admittedLocally: metrics.localShareAdmissions.bound({ store }),
  };
}
