import { describe, expect, test } from 'vitest';
import { CallOverhead } from './call-overhead.js';

function steady(overheadMs: number, calls = 50): CallOverhead {
  const overhead = new CallOverhead();
  for (let call = 0; call < calls; call++) overhead.observe('a', overheadMs, call);
  return overhead;
}

describe('the overhead of a call', () => {
  test('is nothing until something was seen', () => {
    expect(new CallOverhead().of('a', 0)).toBe(0);
  });

  test('is the mean of what was seen', () => {
    expect(steady(2).of('a', 50)).toBeCloseTo(2, 6);
  });

  test('is never below nothing, whatever a backend reports', () => {
    const overhead = steady(2);
    overhead.observe('a', -50, 60);
    expect(overhead.of('a', 60)).toBeCloseTo(1.8, 6);
  });

  test('is hardly moved by calls that were stuck with a stopped process', () => {
    const overhead = steady(1);
    for (let call = 0; call < 4; call++) overhead.observe('a', 9_000, 60);
    expect(overhead.of('a', 60)).toBeLessThan(1.5);
  });

  test('follows a link that became ten times slower', () => {
    const overhead = steady(1);
    for (let call = 0; call < 100; call++) overhead.observe('a', 10, 60);
    expect(overhead.of('a', 60)).toBeGreaterThan(9);
  });

  test('fades where nothing confirms it, so that a backend that looked slow is tried again', () => {
    expect(steady(100).of('a', 49 + 60_000)).toBeLessThan(2);
  });

  test('of a backend is forgotten on request, and with the backend', () => {
    const overhead = steady(1);
    overhead.observe('b', 1, 0);
    overhead.forget('b');
    expect(overhead.of('b', 0)).toBe(0);
    overhead.keep(new Set());
    expect(overhead.of('a', 50)).toBe(0);
  });
});
