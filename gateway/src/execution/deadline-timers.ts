import { IndexedHeap } from '@headrace/batching';
import type { HeapItem } from '@headrace/batching';
import type { Clock, Timer } from '@headrace/runtime';

/** Something with a deadline; each knows its place in the heap. */
export interface Deadline extends HeapItem {
  /** Clock.nowMs() scale; written by DeadlineTimers. */
  dueMs: number;
}

/**
 * One timer of the clock for the deadlines of all requests. Nearly all of them are answered long before, so that a timer each would be
 * made and cancelled for nothing; here that is a place in a heap, O(log n) without memory.
 */
export class DeadlineTimers<T extends Deadline> {
  readonly #clock: Clock;
  readonly #onDue: (item: T) => void;
  readonly #heap = new IndexedHeap<T>(0, (left, right) => left.dueMs < right.dueMs);
  #timer: Timer | undefined;
  #timerAtMs = Infinity;

  constructor(clock: Clock, onDue: (item: T) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Instead of the item's deadline before; Infinity for none. */
  set(item: T, dueMs: number): void {
    if (item.dueMs === dueMs && this.#heap.has(item)) return;
    item.dueMs = dueMs;
    if (dueMs === Infinity) this.#heap.remove(item);
    else if (this.#heap.has(item)) this.#heap.update(item);
    else this.#heap.push(item);
    this.#arm();
  }

  clear(item: T): void {
    this.#heap.remove(item);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAtMs = Infinity;
  }

  #arm(): void {
    const next = this.#heap.peek();
    // One that comes too early looks and goes on.
    if (next === undefined || next.dueMs >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = next.dueMs;
    this.#timer = this.#clock.setTimer(() => this.#fire(), Math.max(0, next.dueMs - this.#clock.nowMs()));
  }

  #fire(): void {
    this.#timerAtMs = Infinity;
    const nowMs = this.#clock.nowMs();
    for (let next = this.#heap.peek(); next !== undefined && next.dueMs <= nowMs; next = this.#heap.peek()) {
      this.#heap.remove(next);
      this.#onDue(next);
    }
    this.#arm();
  }
}
