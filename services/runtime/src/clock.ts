// Imported: the global of that name is an accessor, and looked up each time.
import { performance } from 'node:perf_hooks';

/**
 * All that waits takes a Clock, so that tests run timelines instead of sleeping.
 */
export interface Clock {
  /** Monotonic milliseconds with sub-millisecond fraction; never goes back, epoch arbitrary. */
  nowMs(): number;
  /** Wall-clock milliseconds since 1970; may jump. Only for what people or other machines read. */
  wallMs(): number;
  /** Runs `fire` once, no earlier than `delayMs` from now (0 means: soon, never synchronously). */
  setTimer(fire: () => void, delayMs: number): Timer;
}

export interface Timer {
  /** Safe to call twice and after the timer fired. */
  cancel(): void;
}

/** setTimeout overflows past 2^31-1 ms and would fire at once; longer waits are clamped (24.8 days). */
const maxDelayMs = 2_147_483_647;

class SystemClock implements Clock {
  nowMs(): number {
    return performance.now();
  }
  wallMs(): number {
    return Date.now();
  }
  setTimer(fire: () => void, delayMs: number): Timer {
    const waitMs = Math.min(Math.max(delayMs, 0), maxDelayMs);
    const dueMs = this.nowMs() + waitMs;
    // Node drops fractions and counts from the start of the event loop's turn: it may be up to a millisecond early.
    const check = (): void => {
      const leftMs = dueMs - this.nowMs();
      if (leftMs > 0) handle = setTimeout(check, Math.ceil(leftMs));
      else fire();
    };
    let handle = setTimeout(check, waitMs);
    return { cancel: () => clearTimeout(handle) };
  }
}

export const systemClock: Clock = new SystemClock();

/**
 * A timer that does not keep the process alive: for watchdogs of the process itself, which no timeline needs to move.
 */
export function backgroundTimer(fire: () => void, delayMs: number): Timer {
  const handle = setTimeout(fire, Math.min(Math.max(delayMs, 0), maxDelayMs));
  handle.unref();
  return { cancel: () => clearTimeout(handle) };
}
