import { IndexedHeap } from '@headrace/batching';
import type { HeapItem } from '@headrace/batching';
import type { Clock, Timer } from '@headrace/runtime';

interface Pending extends HeapItem, Timer {
  readonly atMs: number;
  readonly order: number;
  readonly fire: () => void;
}

/**
 * Time that stands still until it is moved, for hours of simulated time in seconds: timers lie in a heap, so that each costs
 * O(log n). They fire in the order of their time, then of their creation.
 */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #pending = new IndexedHeap<Pending>(
    0,
    (left, right) => left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order),
  );

  nowMs(): number {
    return this.#nowMs;
  }

  /** The epoch is when the simulation began: no report depends on the day on which it was made. */
  wallMs(): number {
    return this.#nowMs;
  }

  setTimer(fire: () => void, delayMs: number): Timer {
    const pending: Pending = {
      // NaN would never be due and never leave the heap's top in order.
      atMs: this.#nowMs + (delayMs > 0 ? delayMs : 0),
      order: this.#order++,
      fire,
      at: [-1],
      cancel: () => void this.#pending.remove(pending),
    };
    this.#pending.push(pending);
    return pending;
  }

  /** Moves to `atMs`, firing what is due before it. What is due at that very moment fires with the next move, so that what happens at one moment is seen together. */
  moveTo(atMs: number): void {
    for (let next = this.#pending.peek(); next !== undefined && next.atMs < atMs; next = this.#pending.peek()) this.#fire(next);
    this.#nowMs = Math.max(this.#nowMs, atMs);
  }

  /** Fires the next timer, unless it is due after `untilMs`. False: nothing is left until then. */
  step(untilMs: number): boolean {
    const next = this.#pending.peek();
    if (next === undefined || next.atMs > untilMs) return false;
    this.#fire(next);
    return true;
  }

  get pendingTimers(): number {
    return this.#pending.size;
  }

  #fire(next: Pending): void {
    this.#pending.remove(next);
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.fire();
  }
}
