import { refuse } from '@headrace/runtime';
import type { Refusal } from '@headrace/runtime';

/**
 * Bounds the memory of all request messages that the gateway holds: waiting, running, and kept for a retry.
 * A message counts with a fixed overhead, so that millions of empty ones are bounded as well.
 */
export class ByteBudget {
  #usedBytes = 0;
  #maxBytes: number;
  /** Objects around one request: view, maps, timer, call. Measured order of magnitude, not a promise. */
  static readonly overheadBytes = 2048;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** A smaller limit refuses new messages until enough has left; nothing that is held is dropped. */
  setMax(maxBytes: number): void {
    this.#maxBytes = maxBytes;
  }

  /** False, taking nothing, when the message does not fit. */
  take(bytes: number): boolean {
    const cost = bytes + ByteBudget.overheadBytes;
    if (this.#usedBytes + cost > this.#maxBytes) return false;
    this.#usedBytes += cost;
    return true;
  }

  full(): Refusal {
    return refuse('QUEUE_FULL', `memory for requests: expected at most ${this.#maxBytes} bytes held, ${this.#usedBytes} are`, {
      retryAfterMs: 100,
    });
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes + ByteBudget.overheadBytes;
  }
}
