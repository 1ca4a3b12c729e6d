import { expect, test } from 'vitest';
import { BypassShare } from './share.js';

test('a burst of one second of the share, then the share itself', () => {
  const share = new BypassShare();
  const runs = (untilMs: number, stepMs: number, fromMs = 0): number => {
    let count = 0;
    for (let nowMs = fromMs; nowMs < untilMs; nowMs += stepMs) {
      if (!share.available(nowMs, 0.2, 2)) continue;
      share.spend(10);
      count++;
    }
    return count;
  };
  // 400 ms saved up, 10 ms each; then 0.4 ms per ms, so 40 in a second.
  expect(runs(1, 0.01)).toBe(41);
  const later = runs(10_001, 1, 1);
  expect(later).toBeGreaterThan(395);
  expect(later).toBeLessThan(405);
});

test('what was predicted too high is given back', () => {
  const share = new BypassShare();
  expect(share.available(0, 0.1, 1)).toBe(true);
  share.spend(500);
  expect(share.available(0, 0.1, 1)).toBe(false);
  share.spend(5 - 500);
  expect(share.available(0, 0.1, 1)).toBe(true);
});

test('a share of 0 lets none through', () => {
  expect(new BypassShare().available(0, 0, 4)).toBe(false);
});
