import { describe, expect, test } from 'vitest';
import { makeRequest } from '../testing/request.js';
import { asRetry, planFailure } from './retry.js';

describe('planFailure', () => {
  const [a, b, c, d] = [makeRequest(), makeRequest({ deadlineMs: 100 }), makeRequest(), makeRequest({ deadlineMs: 101 })];

  test('a lone failure is final', () => {
    expect(planFailure({ members: [a] }, 0, () => true)).toEqual({ retry: [], final: [a] });
  });

  test('members of a batch run again unless late or no longer wanted', () => {
    expect(planFailure({ members: [a, b, c, d] }, 100, (member) => member !== c)).toEqual({ retry: [a, d], final: [b, c] });
  });

  test('a retry is never retried: it runs alone', () => {
    const retry = asRetry(makeRequest({ bypass: true, name: 'x' }));
    expect(retry).toEqual(makeRequest({ bypass: false, mergeable: false, name: 'x' }));
    expect(planFailure({ members: [retry, a] }, 0, () => true).final).toEqual([retry]);
  });
});
