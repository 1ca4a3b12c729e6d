import { describe, expect, it } from 'vitest';
import type { GatewayTable } from '../domain/gateway-table.js';
import { parseTable } from '../table/parse.js';
import { shareOfTable } from './limit-shares.js';

const tableOf = (more: string): GatewayTable => {
  const text = `apiVersion: headrace.dev/v1alpha1\nkind: RoutingTable\nbackends: [{name: a, address: "127.0.0.1:1"}]\n${more}`;
  const parsed = parseTable(text, 't.yaml');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal));
  return parsed.value;
};

describe("a worker's share of the limits", () => {
  it('of one worker is all of them: the very same table', () => {
    const table = tableOf('');
    expect(shareOfTable(table, 1)).toBe(table);
  });

  it('of four workers adds up to them, bypass apart, which all of them keep together', () => {
    const table = tableOf('models: [{name: m, batching: {maxQueuedRows: 10}}]\nlimits: {maxMessageBytes: 1048576}');
    const share = shareOfTable(table, 4);
    expect(share).toMatchObject({ maxQueuedBytes: 64 * 1024 * 1024, routing: { retryBudget: { share: 0.2, minPerSecond: 2.5 } } });
    expect(share.defaults.batching.maxQueuedRows).toBe(1024);
    expect(share.models.get('m')?.batching.maxQueuedRows).toBe(3);
    expect(share.defaults.priority).toEqual(table.defaults.priority);
  });

  it('has room for the largest message', () => {
    const table = tableOf('limits: {maxQueuedBytes: 4194304, maxMessageBytes: 2097152}');
    expect(shareOfTable(table, 64).maxQueuedBytes).toBe(2_097_152 + 65_536);
  });

  it('has its part of how many requests of a tenant may be under way, and the rates whole, as leases share them', () => {
    const table = tableOf(`trafficPolicy:
  tiers: [{name: free, requestsPerSecond: 20, concurrency: 10, models: [{name: m, concurrency: 3}]}]
  tenants: [{name: acme, concurrency: 4}]
  defaultTier: free`);
    const { traffic } = shareOfTable(table, 4);
    expect(traffic?.defaultTier).toMatchObject({ name: 'free', requestsPerSecond: 20, burst: 20, concurrency: 3 });
    expect(traffic?.tiers.get('free')).toBe(traffic?.defaultTier);
    expect(traffic?.defaultTier.models.get('m')?.concurrency).toBe(1);
    expect(traffic?.tenants.get('acme')?.policy).toMatchObject({ requestsPerSecond: 20, concurrency: 1 });
  });
});
