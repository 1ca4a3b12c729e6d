import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Allowance } from './allowance.js';

function takes(allowance: Allowance, nowMs: number): number {
  let count = 0;
  while (allowance.take(nowMs)) count++;
  return count;
}

describe('Allowance', () => {
  it('allows a burst at once, then so many a second', () => {
    const allowance = new Allowance(5, 2, 1_000);
    expect(takes(allowance, 1_000)).toBe(5);
    expect(takes(allowance, 1_499)).toBe(0);
    expect(takes(allowance, 1_500)).toBe(1);
    expect(takes(allowance, 3_000)).toBe(3);
  });

  it('never saves up more than a burst', () => {
    const allowance = new Allowance(5, 2, 0);
    allowance.take(0);
    expect(takes(allowance, 3_600_000)).toBe(5);
  });

  it('gives back one at a time, up to the burst', () => {
    const allowance = new Allowance(2, 0, 0);
    allowance.give();
    expect(takes(allowance, 0)).toBe(2);
    allowance.give();
    expect(takes(allowance, 0)).toBe(1);
  });

  it('lets through at most burst + rate x time, whatever the times are', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 100 }), fc.array(fc.nat(2_000)), (burst, perS, waitsMs) => {
        const allowance = new Allowance(burst, perS, 0);
        let nowMs = 0;
        let taken = 0;
        for (const waitMs of waitsMs) {
          nowMs += waitMs;
          if (allowance.take(nowMs)) taken++;
        }
        expect(taken).toBeLessThanOrEqual(burst + (perS * nowMs) / 1_000 + 1e-6);
      }),
    );
  });
});
