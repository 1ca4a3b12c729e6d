import { burstWindowMs } from '../decide/return-window.js';
import type { ReturnBurstView } from '../decide/snapshot.js';

/**
 * Weights of a new count: quick to rise, slow to fall. A plain mean has a stable point where a part of the clients is
 * given up each time: 3 and 4 of 4 by turns, a mean of 3.5, and half a client is not worth waiting for.
 */
const riseGain = 0.5;
const fallGain = 0.1;

/**
 * How many requests usually come right after a run ends: the next ones of clients whose answers it brought. Known, this
 * lets an idle target wait a millisecond for them; unknown, clients in a closed loop split into two groups that take
 * turns, each running half a batch while the other waits.
 */
export class ReturnBurst implements ReturnBurstView {
  #usual = 0;
  #counted = 0;
  /** When the last of them came, after the end of the run: as a mean, and this time. */
  #usualMs = burstWindowMs;
  #lastMs = 0;
  #endedMs = -Infinity;

  get usualRequests(): number {
    return this.#usual;
  }

  get arrivedRequests(): number {
    return this.#counted;
  }

  get endedMs(): number {
    return this.#endedMs;
  }

  get usualMs(): number {
    return this.#usualMs;
  }

  noteArrival(nowMs: number): void {
    if (nowMs - this.#endedMs > burstWindowMs) return;
    this.#counted += 1;
    this.#lastMs = nowMs - this.#endedMs;
  }

  noteRunEnd(nowMs: number): void {
    if (this.#endedMs > -Infinity) {
      this.#usual += (this.#counted - this.#usual) * (this.#counted > this.#usual ? riseGain : fallGain);
    }
    if (this.#counted > 0) this.#usualMs += (this.#lastMs - this.#usualMs) * fallGain;
    this.#counted = 0;
    this.#endedMs = nowMs;
  }
}
