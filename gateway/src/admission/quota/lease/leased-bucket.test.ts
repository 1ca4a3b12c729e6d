import { expect, it } from 'vitest';
import { LeasedBucket, fleetBurst } from './leased-bucket.js';
import { leaseTerms } from './terms.js';

/** A bucket of 100 that was asked for 50 at 0 ms and answered at once. */
function answered(answer: { lease: number; level: number; share: number }): LeasedBucket {
  const bucket = new LeasedBucket('r', 0, 100, 0);
  bucket.allows(50, 0);
  bucket.beginExchange(0);
  bucket.endExchange(answer, 0, 0);
  return bucket;
}

it('does not use what it offers back', () => {
  const bucket = answered({ lease: 40, level: 60, share: 1 });
  expect([bucket.covered(40, 1), bucket.renewalDue(leaseTerms.renewAfterMs)]).toEqual([true, true]);
  expect(bucket.beginExchange(leaseTerms.renewAfterMs)).toMatchObject({ want: 0, total: 0, owed: 0 });
  expect([bucket.covered(1, leaseTerms.renewAfterMs), bucket.left(leaseTerms.renewAfterMs)]).toEqual([false, 60]);
});

it('takes a first share again when the store has forgotten it, but not because the store is gone', () => {
  const kept = answered({ lease: 0, level: 100, share: 1 });
  kept.beginExchange(leaseTerms.ttlMs, true);
  const anew = answered({ lease: 0, level: 100, share: 1 });
  anew.beginExchange(leaseTerms.ttlMs, false);
  expect([kept.left(leaseTerms.ttlMs), anew.left(leaseTerms.ttlMs)]).toEqual([100, 25]);
});

it('tells a store that has forgotten the bucket once of what it owes, and not in the level again', () => {
  const bucket = answered({ lease: 0, level: 100, share: 0.25 });
  // Larger than the burst: it passes where the bucket is full, and makes a debt.
  bucket.charge(300, leaseTerms.ttlMs);
  expect(bucket.beginExchange(leaseTerms.ttlMs)).toMatchObject({ owed: 300, initial: 100 });
});

it('does not use a lease past its end', () => {
  const bucket = answered({ lease: 40, level: 0, share: 1 });
  expect([bucket.covered(40, leaseTerms.ttlMs - 1), bucket.covered(1, leaseTerms.ttlMs)]).toEqual([true, false]);
});

it('counts what was used while the answer was on its way', () => {
  const bucket = new LeasedBucket('r', 0, 100, 0);
  bucket.allows(20, 0);
  bucket.charge(20, 0);
  expect(bucket.beginExchange(0)).toMatchObject({ total: 20, owed: 20 });
  bucket.charge(5, 1);
  bucket.endExchange({ lease: 30, level: 50, share: 1 }, 0, 2);
  expect([bucket.covered(25, 2), bucket.covered(26, 2), bucket.left(2)]).toEqual([true, false, 75]);
});

it('owes what the store heard of only once', () => {
  const bucket = new LeasedBucket('r', 0, 100, 0);
  bucket.charge(20, 0);
  bucket.beginExchange(0);
  expect(bucket.beginExchange(300, true)).toMatchObject({ total: 20, owed: 20 });
});

it('a fleet has a burst of 100 ms of its rate at least', () => {
  expect([fleetBurst(1_000, 10), fleetBurst(1_000, 500), fleetBurst(Number.NaN, -1)]).toEqual([100, 500, 0]);
});
