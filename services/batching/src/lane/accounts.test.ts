import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Seat } from './account.js';
import { Account, quantumMs } from './account.js';
import { Accounts, reachRounds } from './accounts.js';

/** Service since round 0, ms, were it all used. */
function usedMs({ round, leftMs, weight }: Account<Seat>): number {
  return (round + 1) * quantumMs * weight - leftMs;
}

test('an account keeps what it was charged, and has a part of a round left', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(0.001, 0.5, 1, 8, 1_000),
      fc.array(fc.double({ min: -50, max: 100, noNaN: true }), { maxLength: 30 }),
      (weight, charges) => {
        const account = new Account<Seat>({ weight });
        let sum = 0;
        for (const ms of charges) {
          account.charge(ms);
          sum += ms;
          expect(account.leftMs).toBeGreaterThan(-1e-6);
          expect(account.leftMs).toBeLessThanOrEqual(quantumMs * weight + 1e-6);
          expect(Number.isInteger(account.round)).toBe(true);
          expect(usedMs(account)).toBeCloseTo(sum, 5);
        }
      },
    ),
  );
});

test.each([
  [NaN, 1e-3],
  [-1, 1e-3],
  [0, 1e-3],
  [Infinity, 1e3],
])('a weight of %d is taken for %d', (weight, expected) => {
  expect(new Account<Seat>({ weight }).weight).toBe(expected);
});

describe('accounts of a model', () => {
  test('who comes begins in the round that is served, with one quantum whatever he had left', () => {
    const accounts = new Accounts<Seat>();
    const [early, late] = [accounts.of({ weight: 1 }), accounts.of({ weight: 2 })];
    accounts.entered(early, 1);
    accounts.charge(early, 50 * quantumMs);
    accounts.serving(early);
    accounts.entered(late, 1);
    expect([late.round, late.leftMs]).toEqual([50, 2 * quantumMs]);
  });

  test('who leaves and returns within a round has what he left there, and no new quantum', () => {
    const accounts = new Accounts<Seat>();
    const [one, other] = [accounts.of({ weight: 1 }), accounts.of({ weight: 1 })];
    accounts.entered(other, 1);
    for (let visit = 0; visit < 5; visit++) {
      accounts.entered(one, 1);
      accounts.charge(one, quantumMs / 4);
      accounts.left(one, 1);
    }
    expect(one.round).toBe(1);
  });

  describe('who comes after a while', () => {
    /** Rounds that `late` may be served before `early`, who had `requests` of 1 ms; `late` had all but `less` of as many. */
    const aheadOf = (requests: number, less: number, weight = 1): number => {
      const accounts = new Accounts<Seat>();
      const [early, late] = [accounts.of({ weight: 1 }), accounts.of({ weight })];
      for (const account of [early, late]) accounts.entered(account, 1);
      for (let count = 0; count < requests; count++) {
        accounts.serve(early, 1);
        if (count < requests - less) accounts.serve(late, weight);
      }
      accounts.left(late, 1);
      accounts.serving(early);
      accounts.entered(late, 1);
      return accounts.currentRound - late.round;
    };

    test.each([
      ['has two usual requests before others, however long it was away', aheadOf(500, 500), 2],
      ['of a weight, as many requests and not as many rounds', aheadOf(500, 500, 4), 2 / 4],
      ['has no more than it left out', aheadOf(500, 1), 1],
      ['has nothing where it left out nothing', aheadOf(500, 0), 0],
    ])('%s', (_, rounds, requests) => {
      expect(rounds).toBeGreaterThanOrEqual(requests / quantumMs - 1);
      expect(rounds).toBeLessThanOrEqual(requests / quantumMs);
    });
  });

  test('a debt outlives the queue of its tenant, not the queue of all', () => {
    const accounts = new Accounts<Seat>();
    const [one, other] = [accounts.of({ weight: 1 }), accounts.of({ weight: 1 })];
    accounts.entered(other, 1);
    accounts.charge(one, 20 * quantumMs);
    accounts.entered(one, 1);
    accounts.left(one, 1);
    expect(one.round).toBeGreaterThanOrEqual(19);
    accounts.left(other, 1);
    accounts.entered(other, 1);
    expect(other.round).toBe(one.round);
  });

  test('who could not be served catches up on no more than the reach', () => {
    const accounts = new Accounts<Seat>();
    const [stuck, other] = [accounts.of({ weight: 1 }), accounts.of({ weight: 1 })];
    accounts.entered(stuck, 1);
    accounts.entered(other, 1);
    accounts.charge(other, 10 * reachRounds * quantumMs);
    accounts.serving(other);
    accounts.charge(stuck, 0);
    expect(stuck.round).toBe(other.round - reachRounds);
  });

  test('who is far ahead bypasses no one, but himself', () => {
    const accounts = new Accounts<Seat>();
    const [one, other] = [accounts.of({ weight: 1 }), accounts.of({ weight: 1 })];
    accounts.entered(one, 1);
    accounts.charge(one, 2 * reachRounds * quantumMs);
    expect(accounts.mayBypass(one)).toBe(true);
    accounts.entered(other, 1);
    expect([accounts.mayBypass(one), accounts.mayBypass(other)]).toEqual([false, true]);
  });

  test('NaN charges nothing, and no charge is beyond measure', () => {
    const accounts = new Accounts<Seat>();
    const account = accounts.of({ weight: 1 });
    accounts.charge(account, NaN);
    expect(account.round).toBe(0);
    accounts.charge(account, Infinity);
    expect(account.round).toBeLessThanOrEqual(60_000 / quantumMs + 1);
  });

  test('remembers those who wait, and 1,024 more', () => {
    const accounts = new Accounts<Seat>();
    const waiting = Array.from({ length: 50 }, () => accounts.of({ weight: 1 }));
    for (const account of waiting) accounts.entered(account, 1);
    for (let i = 0; i < 5_000; i++) {
      const account = accounts.of({ weight: 1 });
      accounts.entered(account, 1);
      accounts.left(account, 1);
    }
    expect(accounts.known).toBe(50 + 1_024);
    for (const account of waiting) expect(accounts.of(account.tenant)).toBe(account);
  });
});
