import { describe, expect, it } from 'vitest';
import { tenantOrder } from './tenant-order.js';

function counts(order: Uint32Array, tenants: number): readonly number[] {
  const all = Array.from({ length: tenants }, () => 0);
  for (const tenant of order) all[tenant] = (all[tenant] ?? 0) + 1;
  return all.toSorted((a, b) => b - a);
}

describe('tenantOrder', () => {
  it('gives each tenant as many requests as any other where it is uniform', () => {
    const sorted = counts(tenantOrder('uniform', 100, 100_000), 100);
    expect(sorted[0]).toBeLessThan(1_200);
    expect(sorted[99]).toBeGreaterThan(800);
  });

  it("gives the nth tenant 1/n of the first one's requests by Zipf's law", () => {
    const sorted = counts(tenantOrder('zipf', 100, 100_000), 100);
    // 100,000 / (1 + 1/2 + ... + 1/100)
    expect(sorted[0]).toBeGreaterThan(18_500);
    expect(sorted[0]).toBeLessThan(20_000);
    expect((sorted[0] ?? 0) / (sorted[9] ?? 1)).toBeGreaterThan(8);
    expect((sorted[0] ?? 0) / (sorted[9] ?? 1)).toBeLessThan(12);
  });

  it('is the same each time', () => {
    expect(tenantOrder('zipf', 50, 500)).toEqual(tenantOrder('zipf', 50, 500));
  });
});
