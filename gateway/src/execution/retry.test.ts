import { statusCode } from '@headrace/runtime';
import { describe, expect, it } from 'vitest';
import { RetryBudget } from './retry-budget.js';
import { decideRetry, isBackendFault } from './retry-policy.js';
import type { FailedRun } from './retry-policy.js';

describe('decideRetry', () => {
  const lone: FailedRun = { members: 1, code: statusCode.INTERNAL, lost: false, idempotent: true };
  const cases: readonly [string, Partial<FailedRun>, ReturnType<typeof decideRetry>][] = [
    ['a lone request that fails is answered', {}, 'fail'],
    ['a batch that fails is taken apart', { members: 3 }, 'itemByItem'],
    ['a lost backend: elsewhere, lone or batch', { lost: true, code: statusCode.UNAVAILABLE }, 'elsewhere'],
    ['a lost backend with a batch: elsewhere', { lost: true, members: 3, code: statusCode.UNAVAILABLE }, 'elsewhere'],
    ['a full backend: elsewhere', { code: statusCode.RESOURCE_EXHAUSTED }, 'elsewhere'],
    ['not idempotent, lost: never again', { lost: true, code: statusCode.UNAVAILABLE, idempotent: false }, 'fail'],
    ['not idempotent, a batch failed: never again', { members: 3, idempotent: false }, 'fail'],
    ['not idempotent, a batch refused before it ran', { members: 3, idempotent: false, code: statusCode.INVALID_ARGUMENT }, 'itemByItem'],
    ['out of time', { members: 3, code: statusCode.DEADLINE_EXCEEDED }, 'fail'],
    ['cancelled', { members: 3, code: statusCode.CANCELLED, lost: true }, 'fail'],
  ];
  it.each(cases)('%s', (_name, change, expected) => {
    expect(decideRetry({ ...lone, ...change })).toBe(expected);
  });

  it('blames the backend for losses and internal failures, not for bad requests', () => {
    const blamed = Object.entries(statusCode)
      .filter(([, code]) => isBackendFault(code, false))
      .map(([name]) => name);
    expect(blamed.sort()).toEqual(['DATA_LOSS', 'INTERNAL', 'UNAVAILABLE', 'UNKNOWN']);
    expect(isBackendFault(statusCode.INVALID_ARGUMENT, true)).toBe(true);
  });
});

describe('RetryBudget', () => {
  it('allows the share of the last ten seconds plus the floor, and forgets', () => {
    const budget = new RetryBudget({ share: 0.2, minPerSecond: 1 });
    for (let i = 0; i < 100; i++) budget.request(500);
    const allowed = Array.from({ length: 100 }, () => budget.tryRetry(900)).filter(Boolean).length;
    expect(allowed).toBe(0.2 * 100 + 10);
    expect(budget.tryRetry(9_000)).toBe(false);
    expect(Array.from({ length: 100 }, () => budget.tryRetry(10_000)).filter(Boolean)).toHaveLength(10);
  });
});
