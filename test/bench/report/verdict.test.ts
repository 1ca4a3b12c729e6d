import { describe, expect, it } from 'vitest';
import { judge } from './verdict.js';

const rounds = new Map([
  ['ours', [{ rate: 20 }, { rate: 90 }, { rate: 40 }]],
  ['theirs', [{ rate: 10 }, { rate: 10 }, { rate: 10 }]],
  ['absent', []],
]);
const ratio = (of: (arm: string, key: string) => number): number => of('ours', 'rate') / of('theirs', 'rate');

describe('judge', () => {
  it.each([
    ['met at the bound from below', { atLeast: 4 }, true],
    ['missed below it, whatever one lucky round says', { atLeast: 4.1 }, false],
    ['met at the bound from above', { atMost: 4 }, true],
    ['missed above it, whatever one lucky round says', { atMost: 3.9 }, false],
  ] as const)('%s', (_, bound, met) => {
    expect(judge({ target: 't', rounds, compute: ratio, bound })).toEqual({
      target: 't',
      met,
      measured: '4.00 (rounds: 2.00, 9.00, 4.00)',
    });
  });

  it('is open where something it needs was not measured', () => {
    const compute = (of: (arm: string, key: string) => number): number => of('ours', 'rate') / of('absent', 'rate');
    expect(judge({ target: 't', rounds, compute, bound: { atLeast: 0 } })).toEqual({
      target: 't',
      met: undefined,
      measured: 'not measured',
    });
  });
});
