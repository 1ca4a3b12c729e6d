import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jitter, seededRandom } from '../testing/random.js';
import { LineFit } from './line-fit.js';

const options = { windowRuns: 100, minSpread: 0.15, shapeMemoryRuns: 2_000 };

function at(fit: LineFit, rows: number): number {
  return fit.line.overheadMs + fit.line.perRowMs * rows;
}

function feed(fit: LineFit, runs: number, timeMs: (rows: number) => number, sizes: (run: number) => number): void {
  for (let run = 0; run < runs; run++) {
    const rows = sizes(run);
    fit.observe(rows, timeMs(rows));
  }
}

describe('LineFit', () => {
  test('finds overhead and slope in noisy runs of mixed sizes', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 20, noNaN: true }),
        fc.double({ min: 0.01, max: 20, noNaN: true }),
        fc.integer(),
        (a, k, seed) => {
          const random = seededRandom(seed);
          const fit = new LineFit(options);
          feed(
            fit,
            400,
            (rows) => (a + k * rows) * jitter(random, 0.05),
            () => 1 + Math.floor(random() * 32),
          );
          expect(fit.identified).toBe(true);
          for (const rows of [1, 8, 32]) expect(Math.abs(at(fit, rows) / (a + k * rows) - 1)).toBeLessThan(0.12);
          // The coefficients themselves, as far as noise lets them be known: against the time they add to a typical run.
          expect(Math.abs(fit.line.overheadMs - a)).toBeLessThan(0.12 * (a + k * 8));
          expect(Math.abs(fit.line.perRowMs - k) * 32).toBeLessThan(0.12 * (a + k * 32));
        },
      ),
    );
  });

  test('finds both exactly where there is no noise', () => {
    const fit = new LineFit(options);
    feed(
      fit,
      200,
      (rows) => 3 + 0.5 * rows,
      (run) => 1 + (run % 7),
    );
    expect(fit.line.overheadMs).toBeCloseTo(3, 6);
    expect(fit.line.perRowMs).toBeCloseTo(0.5, 6);
    expect(fit.residualMs).toBeCloseTo(0, 6);
  });

  test('until two sizes were seen, b rows take b times as long as one', () => {
    const fit = new LineFit(options);
    feed(
      fit,
      50,
      () => 12,
      () => 4,
    );
    expect(fit.identified).toBe(false);
    expect(at(fit, 1)).toBeCloseTo(3, 6);
    expect(at(fit, 32)).toBeCloseTo(96, 6);
    feed(
      fit,
      10,
      () => 14,
      () => 8,
    );
    expect(fit.identified).toBe(true);
    expect(at(fit, 8)).toBeCloseTo(14, 0);
  });

  test('one lone run after many of one size does not make the large ones look ten times as long', () => {
    const fit = new LineFit(options);
    feed(
      fit,
      140,
      () => 105.6,
      () => 32,
    );
    feed(
      fit,
      1,
      () => 80.8,
      () => 1,
    );
    expect(at(fit, 32)).toBeGreaterThan(95);
    expect(at(fit, 32)).toBeLessThan(160);
  });

  test('knows the scatter: 95 of 100 runs end within residualMs of the prediction', () => {
    const random = seededRandom(5);
    const fit = new LineFit(options);
    const timeMs = (rows: number): number => (2 + rows) * jitter(random, 0.1);
    feed(fit, 300, timeMs, (run) => 8 + (run % 5));
    let within = 0;
    for (let run = 0; run < 1_000; run++) if (timeMs(10) <= at(fit, 10) + fit.residualMs) within++;
    expect(within).toBeGreaterThan(880);
    expect(within).toBeLessThan(1_000);
  });

  test.each([
    ['mixed sizes', (run: number) => 1 + ((run * 5) % 32)],
    ['full batches only', () => 32],
  ])('follows a machine that becomes twice as slow, or as fast: %s', (_, sizes) => {
    const random = seededRandom(9);
    for (const factor of [2, 0.5]) {
      const fit = new LineFit(options);
      feed(
        fit,
        300,
        (rows) => (4 + 0.5 * rows) * jitter(random, 0.05),
        (run) => 1 + ((run * 5) % 32),
      );
      feed(fit, 40, (rows) => (4 + 0.5 * rows) * factor * jitter(random, 0.05), sizes);
      for (const rows of [1, 8, 32]) expect(Math.abs(at(fit, rows) / ((4 + 0.5 * rows) * factor) - 1)).toBeLessThan(0.15);
    }
  });

  test('one wild run moves no prediction by 10 %', () => {
    fc.assert(
      fc.property(
        fc.record({ a: fc.double({ min: 0.1, max: 20, noNaN: true }), k: fc.double({ min: 0.1, max: 20, noNaN: true }) }),
        fc.integer({ min: 50, max: 300 }),
        fc.integer({ min: 1, max: 32 }),
        fc.double({ min: 0, max: 1_000, noNaN: true }),
        fc.integer(),
        ({ a, k }, runs, wildRows, wildFactor, seed) => {
          const random = seededRandom(seed);
          const fit = new LineFit(options);
          feed(
            fit,
            runs,
            (rows) => (a + k * rows) * jitter(random, 0.03),
            () => 1 + Math.floor(random() * 32),
          );
          const before = [1, 8, 32].map((rows) => at(fit, rows));
          fit.observe(wildRows, (a + k * wildRows) * wildFactor);
          for (const [index, rows] of [1, 8, 32].entries()) expect(Math.abs(at(fit, rows) / (before[index] ?? 0) - 1)).toBeLessThan(0.1);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a first run a hundred times too long is forgotten within ten', () => {
    const fit = new LineFit(options);
    fit.observe(1, 500);
    feed(
      fit,
      10,
      () => 5,
      () => 1,
    );
    expect(at(fit, 1)).toBeLessThan(6);
  });

  test('a wild run at a size never seen before is forgotten within ten of that size', () => {
    const fit = new LineFit(options);
    feed(
      fit,
      100,
      () => 10.1,
      () => 1,
    );
    fit.observe(32, 5_000);
    feed(
      fit,
      10,
      () => 13.2,
      () => 32,
    );
    expect(Math.abs(at(fit, 32) / 13.2 - 1)).toBeLessThan(0.2);
    expect(Math.abs(at(fit, 1) / 10.1 - 1)).toBeLessThan(0.2);
  });

  test('is never negative, never NaN and never decreasing, whatever it is told', () => {
    const nasty = fc.oneof(
      fc.double(),
      fc.constantFrom(0, -1, NaN, Infinity, -Infinity, 1e-300, 1e300, 1e-9),
      fc.double({ min: 0, max: 1e4, noNaN: true }),
    );
    const size = fc.oneof(fc.integer({ min: 1, max: 64 }), fc.constantFrom(0, -3, NaN, 1e9));
    fc.assert(
      fc.property(fc.array(fc.tuple(size, nasty), { maxLength: 60 }), (runs) => {
        const fit = new LineFit(options);
        for (const [rows, runMs] of runs) {
          fit.observe(rows, runMs);
          const { overheadMs, perRowMs } = fit.line;
          expect(overheadMs).toBeGreaterThanOrEqual(0);
          expect(perRowMs).toBeGreaterThanOrEqual(0);
          expect(Number.isFinite(overheadMs) && Number.isFinite(perRowMs)).toBe(true);
          expect(fit.residualMs).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 500 },
    );
  });
});
