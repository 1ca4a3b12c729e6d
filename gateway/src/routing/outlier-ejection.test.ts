import { describe, expect, it } from 'vitest';
import { OutlierDetector } from './outlier-ejection.js';

const policy = { slownessFactor: 3, minExcessMs: 20, minRuns: 5, ejectMs: 1000, maxEjectedPercent: 50 };

function detector(names: readonly string[], change: Partial<typeof policy> = {}): OutlierDetector {
  const made = new OutlierDetector({ ...policy, ...change });
  made.setMembers(names.map((name) => ({ name, life: 1 })));
  for (const name of names) for (let i = 0; i < 5; i++) made.observe(name, 10, 10, 0);
  return made;
}
function slow(made: OutlierDetector, name: string, runs: number, elapsedMs = 100, nowMs = 0): void {
  for (let i = 0; i < runs; i++) made.observe(name, 10, elapsedMs, nowMs);
}

describe('OutlierDetector', () => {
  it('ejects on a slow median, not on two slow runs', () => {
    const made = detector(['a', 'b']);
    slow(made, 'a', 2);
    expect(made.standing('a')).toBe('steady');
    slow(made, 'a', 1);
    expect(made.standing('a')).toBe('ejected');
  });

  const never: readonly [string, readonly string[], Partial<typeof policy>, number][] = [
    ['the only backend', ['a'], {}, 100],
    ['slowness below the factor', ['a', 'b'], { minExcessMs: 0 }, 29],
    ['an excess too small to matter', ['a', 'b'], { minExcessMs: 200 }, 100],
    ['more than the allowed share', ['a', 'b', 'c'], { maxEjectedPercent: 33 }, 100],
    ['anything at 0 %', ['a', 'b'], { maxEjectedPercent: 0 }, 100],
  ];
  it.each(never)('never ejects for %s', (_name, names, change, elapsedMs) => {
    const made = detector(names, change);
    slow(made, 'a', 10, elapsedMs);
    expect(made.standing('a')).toBe('steady');
  });

  it('keeps all when all are slow, and at least one at 100 %', () => {
    const together = detector(['a', 'b']);
    for (let i = 0; i < 10; i++) for (const name of ['a', 'b']) slow(together, name, 1);
    expect([together.standing('a'), together.standing('b')]).toEqual(['steady', 'steady']);

    const all = detector(['a', 'b', 'c'], { maxEjectedPercent: 100 });
    slow(all, 'a', 5, 1000);
    slow(all, 'b', 5, 10_000);
    slow(all, 'c', 5, 1e9);
    expect(['a', 'b', 'c'].filter((name) => all.standing(name) === 'ejected')).toEqual(['a', 'b']);
  });

  it('does not judge while there is nobody to compare with', () => {
    const made = detector(['a', 'b']);
    made.setMembers([
      { name: 'a', life: 1 },
      { name: 'b', life: 2 },
    ]);
    slow(made, 'a', 10);
    expect(made.standing('a')).toBe('steady');
    made.observe('b', 10, 10, 0);
    slow(made, 'a', 1);
    expect(made.standing('a')).toBe('ejected');
  });

  it('lets it back by probes, doubling the time for each that fails', () => {
    const made = detector(['a', 'b']);
    slow(made, 'a', 5);
    expect(made.sweep([], 999)).toBe(false);
    expect(made.sweep([], 1000)).toBe(true);
    expect(made.standing('a')).toBe('probing');
    slow(made, 'a', 1, 100, 1000);
    expect(made.standing('a')).toBe('ejected');
    made.sweep([], 2999);
    expect(made.standing('a')).toBe('ejected');
    made.sweep([], 3000);
    for (let i = 0; i < 3; i++) made.observe('a', 10, 10, 3000);
    expect(made.standing('a')).toBe('steady');
  });

  it('ejects who holds a run for ever while others answer', () => {
    const made = detector(['a', 'b']);
    expect(made.sweep([{ backend: 'a', expectedMs: 10, elapsedMs: 900 }], 0)).toBe(false);
    expect(made.sweep([{ backend: 'a', expectedMs: 10, elapsedMs: 1100 }], 0)).toBe(true);
    expect(made.standing('a')).toBe('ejected');
  });

  it('judges nothing without a prediction, and forgets with a new life', () => {
    const made = detector(['a', 'b']);
    for (let i = 0; i < 9; i++) made.observe('a', 0, 1e6, 0);
    expect(made.standing('a')).toBe('steady');
    slow(made, 'a', 5);
    made.setMembers([
      { name: 'a', life: 2 },
      { name: 'b', life: 1 },
    ]);
    expect(made.standing('a')).toBe('steady');
  });
});
