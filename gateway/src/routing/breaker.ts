import CircuitBreaker from 'opossum';
import type { BreakerPolicy } from '../domain/gateway-table.js';

export type BreakerState = 'closed' | 'open' | 'halfOpen';

/** Why a run counts as a failure of the backend. */
class BackendFault extends Error {}

/**
 * One opossum circuit breaker per backend: opens on a share of failures that are the backend's fault, lets one trial
 * through after a while. Only results are handed to it (its own time-out is off: deadlines are the requests').
 */
export class BackendBreaker {
  readonly #breaker: CircuitBreaker<[boolean], void>;
  readonly #onChange: (state: BreakerState) => void;

  constructor(name: string, policy: BreakerPolicy, onChange: (state: BreakerState) => void) {
    this.#onChange = onChange;
    this.#breaker = new CircuitBreaker(settle, {
      name,
      timeout: false,
      errorThresholdPercentage: policy.errorPercent,
      volumeThreshold: policy.minRuns,
      rollingCountTimeout: policy.windowMs,
      rollingCountBuckets: 10,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      resetTimeout: policy.resetMs,
    });
    const changed = (): void => this.#onChange(this.state);
    this.#breaker.on('open', changed);
    this.#breaker.on('halfOpen', changed);
    this.#breaker.on('close', changed);
  }

  get state(): BreakerState {
    if (this.#breaker.opened) return 'open';
    return this.#breaker.halfOpen ? 'halfOpen' : 'closed';
  }

  /** A run ended: well, or badly by the backend's fault. Results of runs begun before it opened are not counted. */
  record(ok: boolean): void {
    if (this.#breaker.opened) return;
    // A closed breaker learns from a good run only that there was one: opossum's window counts this event, and what it decides by is failures
    // over fires. `fire` would make two promises for it (a property test holds both ways against each other).
    if (ok && this.#breaker.closed) return void this.#breaker.emit('fire');
    // The rejection is opossum's way of counting; the caller has handled the failure itself.
    this.#breaker.fire(ok).catch(() => {});
  }

  shutdown(): void {
    this.#breaker.shutdown();
  }
}

async function settle(ok: boolean): Promise<void> {
  if (!ok) throw new BackendFault('the run failed');
}
