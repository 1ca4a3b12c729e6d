import { describe, expect, it } from 'vitest';
import { backoffMs } from './backoff.js';

const settings = { initialMs: 100, maxMs: 1_000 };

describe('backoffMs', () => {
  it.each([
    ['the first wait', 1, 0.5, 100],
    ['1.6 times as long each time', 2, 0.5, 160],
    ['and again', 3, 0.5, 256],
    ['never above the most', 10, 0.5, 1_000],
    ['nor after a very long time', 100_000, 0.5, 1_000],
    ['20 % less at the least', 1, 0, 80],
    ['20 % more at the most', 1, 1, 120],
    ['attempt 0 as attempt 1', 0, 0.5, 100],
  ])('%s', (_name, attempt, random, expected) => {
    expect(backoffMs(settings, attempt, random)).toBeCloseTo(expected, 6);
  });
});
