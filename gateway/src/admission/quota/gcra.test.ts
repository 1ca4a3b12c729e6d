import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  gcraAllows,
  gcraAtRest,
  gcraBegin,
  gcraCells,
  gcraCharge,
  gcraGiveBack,
  gcraLeft,
  gcraLimit,
  gcraRefit,
  gcraWaitMs,
} from './gcra.js';
import type { GcraLimit } from './gcra.js';

/** A limit and its numbers, with others before and behind them. */
class GcraBucket {
  readonly #cells = new Float64Array(gcraCells + 2).fill(7);
  #limit: GcraLimit;

  constructor(ratePerSecond: number, burst: number, nowMs: number) {
    this.#limit = gcraLimit(ratePerSecond, burst);
    gcraBegin(this.#cells, 1, this.#limit, nowMs);
  }

  allows(amount: number, nowMs: number): boolean {
    return gcraAllows(this.#cells, 1, this.#limit, amount, nowMs);
  }

  charge(amount: number, nowMs: number): void {
    gcraCharge(this.#cells, 1, this.#limit, amount, nowMs);
    if (this.#cells[0] !== 7 || this.#cells.at(-1) !== 7) throw new Error('expected only its own cells to change');
  }

  giveBack(amount: number, nowMs: number): void {
    gcraGiveBack(this.#cells, 1, this.#limit, amount, nowMs);
  }

  waitMs(amount: number, nowMs: number): number {
    return gcraWaitMs(this.#cells, 1, this.#limit, amount, nowMs);
  }

  refit(ratePerSecond: number, burst: number, nowMs: number): void {
    const after = gcraLimit(ratePerSecond, burst);
    gcraRefit(this.#cells, 1, this.#limit, after, nowMs);
    this.#limit = after;
  }

  left(nowMs: number): number {
    return gcraLeft(this.#cells, 1, this.#limit, nowMs);
  }

  atRest(nowMs: number): boolean {
    return gcraAtRest(this.#cells, 1, this.#limit, nowMs);
  }
}

/** Takes at these times; true where it passed. */
function takes(bucket: GcraBucket, timeline: readonly (readonly [atMs: number, amount: number])[]): readonly boolean[] {
  return timeline.map(([atMs, amount]) => {
    const passed = bucket.allows(amount, atMs);
    if (passed) bucket.charge(amount, atMs);
    return passed;
  });
}

describe('a bucket of 10 a second and 3 at once', () => {
  const cases: Readonly<Record<string, { at: readonly (readonly [number, number])[]; passed: readonly boolean[] }>> = {
    'lets a burst through and then one every 100 ms': {
      at: [
        [0, 1],
        [0, 1],
        [0, 1],
        [0, 1],
        [99, 1],
        [100, 1],
        [199, 1],
        [200, 1],
      ],
      passed: [true, true, true, false, false, true, false, true],
    },
    'gathers no more than a burst': {
      at: [
        [100_000, 1],
        [100_000, 1],
        [100_000, 1],
        [100_000, 1],
      ],
      passed: [true, true, true, false],
    },
    'passes an amount above the burst when it is full, and then pays it off': {
      at: [
        [0, 8],
        [599, 1],
        [600, 1],
        [699, 1],
        [700, 1],
      ],
      passed: [true, false, true, false, true],
    },
    'refuses an amount above the burst while anything is missing': {
      at: [
        [0, 1],
        [0, 8],
        [99, 8],
        [100, 8],
      ],
      passed: [true, false, false, true],
    },
    'stands still while the clock goes back': {
      at: [
        [1_000, 3],
        [0, 1],
        [1_000, 1],
        [1_100, 1],
      ],
      passed: [true, false, false, true],
    },
    'charges nothing for what is not a number or negative': {
      at: [
        [0, Number.NaN],
        [0, -5],
        [0, 3],
        [0, 1],
      ],
      passed: [true, true, true, false],
    },
  };
  it.each(Object.entries(cases))('%s', (_, { at, passed }) => {
    expect(takes(new GcraBucket(10, 3, 0), at)).toEqual(passed);
  });
});

describe('limits at their edges', () => {
  it('a rate of 0 is an allowance that never comes back', () => {
    const bucket = new GcraBucket(0, 2, 0);
    expect([
      takes(bucket, [
        [0, 3],
        [0, 2],
        [1e9, 1],
      ]),
      bucket.waitMs(1, 1e9),
    ]).toEqual([[false, true, false], Infinity]);
  });
  it('a rate and a burst of 0 pass nothing', () => expect(takes(new GcraBucket(0, 0, 0), [[1e9, 1]])).toEqual([false]));
  it('a burst below one request still lets the rate through', () => {
    expect(
      takes(new GcraBucket(10, 0.5, 0), [
        [0, 1],
        [99, 1],
        [100, 1],
      ]),
    ).toEqual([true, false, true]);
  });
  it.each([Number.NaN, -1])('a rate or burst of %s is none', (bad) => {
    expect(takes(new GcraBucket(bad, bad, 0), [[1e9, 1]])).toEqual([false]);
  });
});

describe('a reload', () => {
  it('gives no free burst: what is left stays', () => {
    const bucket = new GcraBucket(10, 5, 0);
    bucket.charge(5, 0);
    bucket.refit(10, 1_000, 0);
    expect([bucket.left(0), bucket.left(1_000)]).toEqual([0, 10]);
  });
  it('takes away what is above a smaller burst', () => {
    const bucket = new GcraBucket(10, 5, 0);
    bucket.refit(10, 2, 0);
    expect(bucket.left(0)).toBe(2);
  });
  it('counts the time before it at the rate that held then', () => {
    const bucket = new GcraBucket(10, 5, 0);
    bucket.charge(5, 0);
    bucket.refit(1_000, 5, 100);
    expect(bucket.left(100)).toBeCloseTo(1, 9);
  });
});

it('gives back what was taken, and no more than the burst', () => {
  const bucket = new GcraBucket(10, 3, 0);
  bucket.charge(8, 0);
  bucket.giveBack(8, 0);
  bucket.giveBack(8, 0);
  expect([bucket.left(0), bucket.atRest(0)]).toEqual([3, true]);
});

const rate = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
const amount = fc.double({ min: 0, max: 1e4, noNaN: true });
const history = fc.array(fc.tuple(fc.double({ min: 0, max: 10_000, noNaN: true }), amount), { maxLength: 30 });

it('the wait is exact: the same amount passes then, and not a tenth earlier', () => {
  fc.assert(
    fc.property(rate, amount, history, amount, (perSecond, burst, before, wanted) => {
      let nowMs = 0;
      const bucket = new GcraBucket(perSecond, burst, 0);
      takes(
        bucket,
        before.map(([gapMs, each]) => [(nowMs += gapMs), each]),
      );
      const waitMs = bucket.waitMs(wanted, nowMs);
      expect(waitMs).toBeLessThan(Infinity);
      expect(waitMs > 1 && bucket.allows(wanted, nowMs + waitMs * 0.9)).toBe(false);
      expect(bucket.allows(wanted, nowMs + waitMs)).toBe(true);
    }),
  );
});

it('admits in any window no more than the burst, the largest amount and the rate', () => {
  fc.assert(
    fc.property(rate, amount, history, (perSecond, burst, offers) => {
      let nowMs = 0;
      const bucket = new GcraBucket(perSecond, burst, 0);
      const timeline = offers.map(([gapMs, each]) => [(nowMs += gapMs), each] as const);
      const passed = takes(bucket, timeline);
      const taken = timeline.filter((_, index) => passed[index] === true);
      for (const [from, [fromMs]] of taken.entries()) {
        let sum = 0;
        for (const [atMs, each] of taken.slice(from)) {
          sum += each;
          const most = burst + Math.max(0, ...taken.map(([, one]) => one - burst)) + ((atMs - fromMs + 2e-3) * perSecond) / 1000;
          expect(sum).toBeLessThanOrEqual(most * (1 + 1e-9) + 1e-6);
        }
      }
    }),
  );
});
