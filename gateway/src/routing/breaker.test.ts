import { describe, expect, it } from 'vitest';
import { BackendBreaker } from './breaker.js';

const policy = { errorPercent: 50, minRuns: 4, windowMs: 10_000, resetMs: 20 };
const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('BackendBreaker', () => {
  it('opens on a share of failures, lets a trial through, and closes on its success', async () => {
    const states: string[] = [];
    const breaker = new BackendBreaker('a', policy, (state) => states.push(state));
    for (const ok of [true, false, true, false, false]) {
      breaker.record(ok);
      await turn();
    }
    expect(breaker.state).toBe('open');
    while (breaker.state === 'open') await new Promise((resolve) => setTimeout(resolve, 5));
    expect(breaker.state).toBe('halfOpen');
    breaker.record(true);
    await turn();
    expect(breaker.state).toBe('closed');
    expect(states).toEqual(['open', 'halfOpen', 'closed']);
    breaker.shutdown();
  });

  it('stays closed below the number of runs that mean something, and on successes', async () => {
    const breaker = new BackendBreaker('a', policy, () => {});
    for (const ok of [false, false, false]) {
      breaker.record(ok);
      await turn();
    }
    expect(breaker.state).toBe('closed');
    breaker.shutdown();
  });
});
