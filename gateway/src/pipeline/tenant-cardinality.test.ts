import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseTable } from '../table/parse.js';
import { Timeline } from '../testing/timeline.js';

// Many requests of virtual time: how long they take here depends on the machine and is not what is tested.
vi.setConfig({ testTimeout: 120_000 });

const opened: Timeline[] = [];
afterEach(() => {
  for (const timeline of opened.splice(0)) void timeline.pipeline.close();
});

function timeline(trafficPolicy: unknown): Timeline {
  const backends = [{ name: 'a', address: '127.0.0.1:9000' }];
  const table = { apiVersion: 'headrace.dev/v1alpha1', kind: 'RoutingTable', backends, trafficPolicy };
  const parsed = parseTable(JSON.stringify(table), 'test');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal));
  const line = new Timeline(parsed.value, { a: [{ name: 'm', overheadMs: 0.01, maxBatchRows: 32 }] });
  opened.push(line);
  return line;
}

const megabyte = 1_000_000;
const tiers = [
  { name: 'gold', weight: 8 },
  { name: 'free', requestsPerSecond: 0.001, burst: 1, maxPriority: 3 },
];
const named = (count: number): { readonly name: string; readonly tier: string }[] =>
  Array.from({ length: count }, (_, i) => ({ name: `customer-with-a-long-name-${i}`, tier: i % 2 === 0 ? 'gold' : 'free' }));

/** Two requests of each, the second of which is above a free tenant's rate; every tenth for a model that is not there. */
function visit(line: Timeline, tenant: string, i: number): void {
  for (const model of ['m', i % 10 === 0 ? `invented-${i}` : 'm']) {
    line.send({ model, values: [1n], parameters: { priority: 1n } }, Infinity, {
      caller: { tenant, tier: undefined, proven: true },
      requestId: `r-${i}`,
    });
  }
  if (i % 16 === 0) line.clock.advance(1);
}

describe('/metrics', () => {
  it('stays below 1 MB with 100,000 tenants that nobody named', async () => {
    const line = timeline({ tiers, defaultTier: 'free' });
    for (let i = 0; i < 100_000; i++) visit(line, `stranger-${i}`, i);
    line.clock.advance(1_000);
    const text = await line.registry.exposition();
    expect(line.pipeline.admission.tenants?.size).toBe(100_000);
    expect(text.length).toBeLessThan(megabyte);
    expect(text).toContain('headrace_gateway_tenant_requests_total{tenant="(other)",tier="free",reason="OK"} 100000');
    expect(text).not.toMatch(/stranger|invented/);
  });

  it('stays below 1 MB with a policy that names 5,000, and shows the first 200', async () => {
    const tenants = named(5_000);
    const line = timeline({ tiers, tenants, defaultTier: 'free' });
    tenants.forEach(({ name }, i) => visit(line, name, i));
    line.clock.advance(1_000);
    const text = await line.registry.exposition();
    expect(text.length).toBeLessThan(megabyte);
    expect(new Set(text.match(/tenant="[^"]*"/g)).size).toBe(201);
  });
});
