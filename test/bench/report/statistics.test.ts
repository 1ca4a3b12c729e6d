import { describe, expect, it } from 'vitest';
import { median, medians, perRound } from './statistics.js';

describe('median', () => {
  it.each([
    ['of one', [3], 3],
    ['of an odd count, whatever the order', [9, 1, 5], 5],
    ['of an even count: the mean of the middle', [1, 2, 10, 20], 6],
  ])('%s', (_, values, expected) => expect(median(values)).toBe(expected));

  it('is NaN of nothing', () => expect(median([])).toBeNaN());
});

it('medians of figures keep texts', () => {
  expect(
    medians([
      { a: 1, note: 'x' },
      { a: 5, note: 'y' },
      { a: 3, note: 'z' },
    ]),
  ).toEqual({ a: 3, note: 'z' });
});

describe('perRound', () => {
  const rounds = new Map([
    ['ours', [{ rate: 10 }, { rate: 30 }]],
    ['theirs', [{ rate: 5 }, { rate: 10 }]],
  ]);
  it('pairs figures of the same round', () => {
    expect(perRound(rounds, (of) => of('ours', 'rate') / of('theirs', 'rate'))).toEqual([2, 3]);
  });
  it('is undefined when an arm is missing, not a verdict on half the rounds', () => {
    expect(perRound(rounds, (of) => of('ours', 'rate') / of('absent', 'rate'))).toBeUndefined();
  });
});
