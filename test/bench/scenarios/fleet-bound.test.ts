import { expect, it } from 'vitest';
import { countBetween, fleetBound, steadyBound } from './fleet-bound.js';

const limit = { perS: 1_000, burst: 250 };

it('allows a fleet that lost its count what flows in, three buckets and a half, and what flows during an exchange', () => {
  expect(fleetBound(limit, 9)).toBe(10_125);
});

it('allows a fleet without failures 2 % and one burst', () => {
  expect(steadyBound(limit, 2)).toBe(2_290);
});

it('counts what lies between two times, the first included', () => {
  expect(countBetween([0, 5, 10, 15], 5, 15)).toBe(2);
});
