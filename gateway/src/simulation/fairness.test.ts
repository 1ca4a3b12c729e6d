import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { fairShares, jainIndex } from './fairness.js';

const claims = (...demands: readonly number[]) => demands.map((demand) => ({ demand, weight: 1 }));

test.each([
  ['what is modest is served in full and the rest is divided', 100, claims(10, 80, 80), [10, 45, 45]],
  ['there is enough for all', 300, claims(10, 80, 80), [10, 80, 80]],
  [
    'weights count',
    90,
    [
      { demand: 100, weight: 2 },
      { demand: 100, weight: 1 },
    ],
    [60, 30],
  ],
  [
    'a heavy weight that asks for little leaves its share',
    90,
    [
      { demand: 30, weight: 9 },
      { demand: 100, weight: 1 },
    ],
    [30, 60],
  ],
  ['nobody asks', 10, [], []],
])('%s', (_, total, asked, shares) => {
  expect(fairShares(total, asked)).toEqual(shares);
});

it('never gives more than was asked for, wastes nothing, and treats alike those who want more', () => {
  const claim = fc.record({ demand: fc.double({ min: 0, max: 1000, noNaN: true }), weight: fc.double({ min: 0.1, max: 10, noNaN: true }) });
  fc.assert(
    fc.property(fc.array(claim, { minLength: 1, maxLength: 20 }), fc.double({ min: 0, max: 5000, noNaN: true }), (asked, total) => {
      const shares = fairShares(total, asked);
      const sum = shares.reduce((all, share) => all + share, 0);
      expect(sum).toBeCloseTo(
        Math.min(
          total,
          asked.reduce((all, { demand }) => all + demand, 0),
        ),
        5,
      );
      const hungry = asked.flatMap(({ demand, weight }, index) =>
        (shares[index] ?? 0) < demand - 1e-6 ? [(shares[index] ?? 0) / weight] : [],
      );
      asked.forEach(({ demand }, index) => expect(shares[index]).toBeLessThanOrEqual(demand + 1e-9));
      for (const each of hungry) expect(each).toBeCloseTo(hungry[0] ?? 0, 5);
    }),
  );
});

test.each([
  ['all got their share', [5, 10], [5, 10], 1],
  ['one of four got all', [8, 0, 0, 0], [2, 2, 2, 2], 0.25],
  // (1 + 0.5)^2 / (2 x 1.25) = 0.9
  ['one got half of its share', [10, 5], [10, 10], 0.9],
  ['those without a share do not count', [10, 0], [10, 0], 1],
  ['nobody got anything', [0, 0], [1, 1], undefined],
])('Jain: %s', (_, got, fair, index) => {
  expect(jainIndex(got, fair)?.toFixed(12)).toBe(index?.toFixed(12));
});
