import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TenantShares } from './tenant-shares.js';

test('a share is by weight among those who have something under way, and theirs alone', () => {
  const shares = new TenantShares<{ readonly weight: number }>();
  const [heavy, light] = [{ weight: 1 }, { weight: 3 }];
  const enter = (tenant: { readonly weight: number }, count: number): void => {
    for (let i = 0; i < count; i++) shares.entered(tenant);
  };
  enter(heavy, 8);
  // Alone it may have all.
  expect([shares.isWithin(heavy, 8), shares.isWithin(heavy, 9)]).toEqual([false, true]);
  // 3/4 of 8 as soon as it comes.
  enter(light, 5);
  expect(shares.isWithin(light, 8)).toBe(true);
  enter(light, 1);
  expect([shares.isWithin(light, 8), shares.isWithin(heavy, 8)]).toEqual([false, false]);
  for (let i = 0; i < 8; i++) shares.left(heavy);
  expect(shares.isWithin(light, 8)).toBe(true);
});

test('whatever comes and goes, and however weights change meanwhile, all who are left share all there is', () => {
  const step = fc.tuple(fc.integer({ min: 0, max: 4 }), fc.boolean(), fc.double({ min: 0.01, max: 10_000, noNaN: true }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const shares = new TenantShares<{ weight: number }>();
      const tenants = Array.from({ length: 5 }, () => ({ weight: 1 }));
      const counts = tenants.map(() => 0);
      for (const [index, comes, weight] of steps) {
        const tenant = tenants[index];
        if (tenant === undefined) continue;
        tenant.weight = weight;
        if (comes) shares.entered(tenant);
        else shares.left(tenant);
        counts[index] = Math.max(0, (counts[index] ?? 0) + (comes ? 1 : -1));
      }
      tenants.forEach((tenant, index) => {
        for (let i = counts[index] ?? 0; i > 0; i--) shares.left(tenant);
      });
      const last = { weight: 2 };
      expect([shares.isWithin(last, 1), shares.isWithin(last, 0.5)]).toEqual([true, false]);
    }),
  );
});

test('thousands who come and go leave no share behind, and who stays keeps its own', () => {
  const shares = new TenantShares<{ readonly weight: number }>();
  const stays = { weight: 1 };
  shares.entered(stays);
  for (let i = 0; i < 5_000; i++) {
    const passing = { weight: 1 };
    shares.entered(passing);
    expect([shares.isWithin(stays, 4), shares.isWithin(passing, 3)]).toEqual([true, false]);
    shares.left(passing);
  }
  expect([shares.isWithin(stays, 2), shares.isWithin(stays, 1.9)]).toEqual([true, false]);
});
