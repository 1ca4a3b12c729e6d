import type { Clock, Logger } from '@headrace/runtime';
import { SharedBuckets } from './admission/quota/lease/shared-buckets.js';
import { Quotas } from './admission/quota/quotas.js';
import { connectRedis } from './admission/quota/redis/connect.js';
import { RedisLeaseStore } from './admission/quota/redis/redis-store.js';
import type { LeaseStore } from './domain/lease-store.js';
import type { SharedQuotaPolicy } from './domain/traffic.js';

export interface OpenQuotasOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Shared by the worker processes of one gateway; undefined: it is alone. */
  readonly siblings?: LeaseStore | undefined;
}

/** Quotas over the store that the policy names, else over the one of the sibling workers, else for this process alone. */
export function openQuotas(shared: SharedQuotaPolicy | undefined, { clock, logger, siblings }: OpenQuotasOptions): Quotas {
  if (shared === undefined) {
    return siblings === undefined
      ? new Quotas()
      : new Quotas({ shared: new SharedBuckets({ store: siblings, clock, onUnavailable: 'localShare' }) });
  }
  const connection = connectRedis(shared.redis, logger);
  const store = new RedisLeaseStore(connection.client);
  return new Quotas({
    shared: new SharedBuckets({ store, clock, onUnavailable: shared.onUnavailable }),
    onClosed: () => connection.close(),
  });
}
