import { describe, expect, it } from 'vitest';
import { burstRates, bursts, diurnal, flash, poisson } from './moments.js';
import type { Moments } from './moments.js';
import { randomStream, scatter } from './random.js';

function until(moments: Moments, endMs: number): number[] {
  const found: number[] = [];
  for (const atMs of moments) {
    if (atMs >= endMs) return found;
    found.push(atMs);
  }
  return found;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
function variance(values: readonly number[]): number {
  const middle = mean(values);
  return mean(values.map((value) => (value - middle) ** 2));
}

/** Arrivals in windows of a second: variance over mean is 1 for Poisson (Fano factor). */
function fano(moments: readonly number[], seconds: number): number {
  const counts = Array.from({ length: seconds }, () => 0);
  for (const atMs of moments) counts[Math.floor(atMs / 1000)] = (counts[Math.floor(atMs / 1000)] ?? 0) + 1;
  return variance(counts) / mean(counts);
}

const expectWithin = (value: number, wanted: number, share: number): void => expect(Math.abs(value / wanted - 1)).toBeLessThan(share);

describe('every kind', () => {
  const kinds: Readonly<Record<string, (seed: number) => Moments>> = {
    poisson: (seed) => poisson(100, randomStream(seed, 0)),
    bursts: (seed) => bursts({ perSecond: 100, factor: 10, onMs: 500, offMs: 1500 }, randomStream(seed, 0)),
    diurnal: (seed) => diurnal({ perSecond: 100, periodMs: 10_000, depth: 0.8 }, randomStream(seed, 0)),
    flash: (seed) => flash({ perSecond: 100, factor: 1, fromMs: 0, forMs: 1 }, randomStream(seed, 0)),
  };
  it.each(Object.entries(kinds))('%s never goes back, has the rate asked for, and is the same for the same seed', (_, make) => {
    const found = until(make(7), 2_000_000);
    expect(found.every((atMs, index) => atMs >= (found[index - 1] ?? 0))).toBe(true);
    expectWithin(found.length, 200_000, 0.04);
    expect(until(make(7), 10_000)).toEqual(found.filter((atMs) => atMs < 10_000));
    expect(until(make(8), 10_000)).not.toEqual(until(make(7), 10_000));
  });
});

it('poisson has gaps whose deviation is their mean, and windows that vary as much as their mean', () => {
  const found = until(poisson(50, randomStream(1, 0)), 2_000_000);
  const gaps = found.slice(1).map((atMs, index) => atMs - (found[index] ?? 0));
  expectWithin(mean(gaps), 20, 0.02);
  expectWithin(Math.sqrt(variance(gaps)), 20, 0.02);
  expectWithin(fano(found, 2000), 1, 0.1);
});

it('bursts come at the factor asked for: the two rates average to the mean, and windows vary far more than Poisson', () => {
  const shape = { perSecond: 100, factor: 5, onMs: 2000, offMs: 8000 };
  const rates = burstRates(shape);
  expect(rates.on).toBeCloseTo(277.78, 1);
  expect(rates.off).toBeCloseTo(55.56, 1);
  expect(0.2 * rates.on + 0.8 * rates.off).toBeCloseTo(100, 9);
  expect(fano(until(bursts(shape, randomStream(3, 0)), 3_000_000), 3000)).toBeGreaterThan(30);
});

it('diurnal is lowest at the start, highest in the middle of its period', () => {
  const found = until(diurnal({ perSecond: 200, periodMs: 1000_000, depth: 0.8 }, randomStream(2, 0)), 1000_000);
  const between = (from: number, to: number): number => found.filter((atMs) => atMs >= from * 1000 && atMs < to * 1000).length;
  // Integral of 1 - 0.8 cos over a twentieth at each end is 0.2131 of the mean's; in the middle 1.7869.
  expectWithin(between(0, 50) + between(950, 1000), 200 * 100 * 0.2131, 0.05);
  expectWithin(between(450, 550), 200 * 100 * 1.7869, 0.03);
});

it('flash has its crowd for its time alone', () => {
  const found = until(flash({ perSecond: 100, factor: 8, fromMs: 20_000, forMs: 10_000 }, randomStream(4, 0)), 60_000);
  const crowd = found.filter((atMs) => atMs >= 20_000 && atMs < 30_000).length;
  expectWithin(crowd, 8000, 0.05);
  expectWithin(found.length - crowd, 5000, 0.06);
});

it('a scatter has mean 1 and the deviation asked for; without one no number is drawn', () => {
  const random = randomStream(5, 0);
  const factors = Array.from({ length: 200_000 }, () => scatter(random, 0.3));
  expectWithin(mean(factors), 1, 0.005);
  expectWithin(Math.sqrt(variance(factors)), 0.3, 0.02);
  expect(factors.every((factor) => factor > 0)).toBe(true);
  expect(
    scatter(() => {
      throw new Error('drawn');
    }, 0),
  ).toBe(1);
});

it('streams of one seed differ, and so do seeds, large ones too', () => {
  const first = (seed: number, stream: number): number => randomStream(seed, stream)();
  const all = [first(1, 0), first(1, 1), first(2, 0), first(2 ** 40 + 1, 0), first(2 ** 32 + 1, 0)];
  expect(new Set(all).size).toBe(5);
});
