import type { GatewayTable, ModelPolicy } from '../domain/gateway-table.js';
import type { Quota, TierPolicy, TrafficPolicy } from '../domain/traffic.js';

/**
 * A worker's part of the limits that must hold without asking anybody: memory and queues, where what comes between two
 * messages has no bound, and the floor of the retry budget (its other part is a share of the worker's own requests, which
 * adds up by itself), and a tenant's requests under way. Its rates are shared by leases. Bypass is no such limit: each worker keeps the whole share and hears what the others took of it.
 *
 * E.g. 4 workers, 256 MiB, 4,096 rows, 10 retries a second: 64 MiB, 1,024 rows and 2.5 for each; but never less bytes than
 * the largest message needs.
 */
export function shareOfTable(table: GatewayTable, workers: number): GatewayTable {
  if (workers <= 1) return table;
  const { maxQueuedBytes, maxMessageBytes, routing } = table;
  const oneMessage = Math.min(maxQueuedBytes, maxMessageBytes + aroundMessageBytes);
  return {
    ...table,
    models: new Map([...table.models].map(([name, policy]) => [name, shareOfPolicy(policy, workers)])),
    defaults: shareOfPolicy(table.defaults, workers),
    traffic: table.traffic === undefined ? undefined : shareOfTraffic(table.traffic, workers),
    maxQueuedBytes: Math.max(Math.ceil(maxQueuedBytes / workers), oneMessage),
    routing: { ...routing, retryBudget: { ...routing.retryBudget, minPerSecond: routing.retryBudget.minPerSecond / workers } },
  };
}

/** More than the fixed overhead that a held message is counted with. */
const aroundMessageBytes = 64 * 1024;

function shareOfPolicy(policy: ModelPolicy, workers: number): ModelPolicy {
  return { ...policy, batching: { ...policy.batching, maxQueuedRows: Math.ceil(policy.batching.maxQueuedRows / workers) } };
}

function shareOfTraffic(traffic: TrafficPolicy, workers: number): TrafficPolicy {
  const tiers = new Map([...traffic.tiers].map(([name, tier]) => [name, shareOfTier(tier, workers)]));
  const tenants = new Map([...traffic.tenants].map(([name, tenant]) => [name, { ...tenant, policy: shareOfTier(tenant.policy, workers) }]));
  return { ...traffic, tiers, tenants, defaultTier: tiers.get(traffic.defaultTier.name) ?? shareOfTier(traffic.defaultTier, workers) };
}

function shareOfTier(tier: TierPolicy, workers: number): TierPolicy {
  const models = new Map([...tier.models].map(([model, quota]) => [model, shareOfQuota(quota, workers)]));
  return { ...tier, ...shareOfQuota(tier, workers), models };
}

function shareOfQuota(quota: Quota, workers: number): Quota {
  return { ...quota, concurrency: Math.ceil(quota.concurrency / workers) };
}
