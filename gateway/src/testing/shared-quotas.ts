/** Shared quotas for tests with a real Redis, which lie outside of this package. */
export { SharedBuckets } from '../admission/quota/lease/shared-buckets.js';
export type { LeaseStore } from '../domain/lease-store.js';
export { Quotas } from '../admission/quota/quotas.js';
export { connectRedis } from '../admission/quota/redis/connect.js';
export type { RedisConnection } from '../admission/quota/redis/connect.js';
export { RedisLeaseStore } from '../admission/quota/redis/redis-store.js';
export { tenant, tier } from '../admission/quota/testing/policy.js';
export type { TestTenant } from '../admission/quota/testing/policy.js';
export { leaseStoreCases } from '../admission/quota/testing/store-cases.js';
export type { StoreRig } from '../admission/quota/testing/store-cases.js';
