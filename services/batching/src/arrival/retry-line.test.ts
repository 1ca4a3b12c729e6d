import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RetryLine } from './retry-line.js';

describe('the line of those who were refused', () => {
  test('each is told a time after the one before, at the rate at which room is made', () => {
    const line = new RetryLine();
    expect([1, 2, 3, 4].map(() => line.book(0, 20, 1, 0.1))).toEqual([20, 30, 40, 50]);
    expect(line.book(0, 20, 5, 0.1)).toBe(60);
    expect(line.book(0, 20, 1, 0.1)).toBe(110);
  });

  test('starts anew once it is empty', () => {
    const line = new RetryLine();
    line.book(0, 20, 1, 0.1);
    expect(line.book(500, 20, 1, 0.1)).toBe(20);
  });

  test('promises nothing beyond half a minute, nor without a rate', () => {
    const line = new RetryLine();
    expect(line.book(0, 29_999, 10, 0.1)).toBe(29_999);
    expect(line.book(0, 0, 1, 0.1)).toBeUndefined();
    for (const rate of [0, -1, NaN]) expect(new RetryLine().book(0, 0, 1, rate)).toBeUndefined();
    expect(new RetryLine().book(0, NaN, 1, 1)).toBeUndefined();
  });

  test('keeps room for those whose time has come or comes soon', () => {
    const line = new RetryLine();
    for (let i = 0; i < 10; i++) line.book(0, 20, 1, 0.1);
    expect(line.heldRows(0, 0)).toBe(0);
    expect(line.heldRows(0, 40)).toBeCloseTo(2);
    expect(line.heldRows(50, 0)).toBeCloseTo(3);
  });

  test('is entered by who comes at its time, not by who comes before it, nor by more than were told', () => {
    const line = new RetryLine();
    const times = [1, 2, 3].map(() => line.book(0, 20, 1, 0.1) ?? 0);
    expect(line.take(5, 1, 0)).toBe(false);
    for (const atMs of times) expect(line.take(atMs + 5, 1, 0)).toBe(true);
    expect(line.take(60, 1, 0)).toBe(false);
  });

  test('keeps no room for long for those who gave up, and less for the next when all do', () => {
    const line = new RetryLine();
    for (let i = 0; i < 100; i++) line.book(0, 20, 1, 1);
    expect(line.heldRows(120, 0)).toBeGreaterThan(30);
    expect(line.heldRows(400, 0)).toBeLessThan(1);
    for (let round = 1; round < 6; round++) {
      for (let i = 0; i < 100; i++) line.book(round * 10_000, 20, 1, 1);
      line.heldRows(round * 10_000 + 5_000, 0);
    }
    for (let i = 0; i < 100; i++) line.book(70_000, 20, 1, 1);
    expect(line.heldRows(70_120, 0)).toBeLessThan(1);
  });

  test('whoever comes at the time told is expected, whatever times and sizes were told; what is kept is never negative', () => {
    const client = fc.record({
      gapMs: fc.integer({ min: 0, max: 20 }),
      rows: fc.integer({ min: 1, max: 4 }),
      lateMs: fc.integer({ min: 0, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(client, { minLength: 1, maxLength: 60 }), fc.double({ min: 0.05, max: 3, noNaN: true }), (clients, rate) => {
        const line = new RetryLine();
        let nowMs = 0;
        const visits: { atMs: number; rows: number }[] = [];
        let expected = 0;
        let came = 0;
        const visit = (untilMs: number): void => {
          visits.sort((left, right) => left.atMs - right.atMs);
          for (let next = visits[0]; next !== undefined && next.atMs <= untilMs; next = visits[0]) {
            visits.shift();
            came += 1;
            if (line.take(next.atMs, next.rows, 10)) expected += 1;
            expect(line.heldRows(next.atMs, 10)).toBeGreaterThanOrEqual(0);
          }
        };
        for (const { gapMs, rows, lateMs } of clients) {
          visit((nowMs += gapMs));
          const inMs = line.book(nowMs, 10, rows, rate);
          if (inMs !== undefined) visits.push({ atMs: nowMs + inMs + lateMs, rows });
        }
        visit(Infinity);
        expect(expected).toBeGreaterThanOrEqual(0.95 * came - 1);
      }),
    );
  });
});
