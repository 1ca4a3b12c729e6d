import fc from 'fast-check';
import CircuitBreaker from 'opossum';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
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

/** Every result through opossum's own front door. */
class ByFire {
  readonly #breaker = new CircuitBreaker(async (ok: boolean) => (ok ? undefined : Promise.reject(new Error('the run failed'))), {
    timeout: false,
    errorThresholdPercentage: policy.errorPercent,
    volumeThreshold: policy.minRuns,
    rollingCountTimeout: policy.windowMs,
    rollingCountBuckets: 10,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
    resetTimeout: policy.resetMs,
  });

  get state(): string {
    if (this.#breaker.opened) return 'open';
    return this.#breaker.halfOpen ? 'halfOpen' : 'closed';
  }

  record(ok: boolean): void {
    if (!this.#breaker.opened) this.#breaker.fire(ok).catch(() => {});
  }

  shutdown(): void {
    this.#breaker.shutdown();
  }
}

describe('good runs that are counted without fire', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] }));
  afterEach(() => void vi.useRealTimers());

  it('leave every state as it would be with it, whatever comes in one turn, and whenever', async () => {
    const turnOf = fc.record({
      results: fc.array(fc.boolean(), { maxLength: 6 }),
      // Within a bucket of the window, over some, over the time until a trial.
      passMs: fc.constantFrom(0, 0, 5, 25, 999, 3_000, 12_000),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(turnOf, { maxLength: 40 }), async (turns) => {
        const ours = new BackendBreaker('a', policy, () => {});
        const reference = new ByFire();
        for (const { results, passMs } of turns) {
          for (const ok of results) {
            ours.record(ok);
            reference.record(ok);
          }
          await turn();
          expect(ours.state).toBe(reference.state);
          vi.advanceTimersByTime(passMs);
          expect(ours.state).toBe(reference.state);
        }
        ours.shutdown();
        reference.shutdown();
      }),
    );
  });
});
