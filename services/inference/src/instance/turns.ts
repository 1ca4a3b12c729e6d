import type { RunThread } from './worker-thread.js';

/**
 * Who may use a thread next. A thread of its own has one user and nothing to decide; on a shared thread the models that
 * have work waiting take turns, first come first served, so that one busy model cannot keep the others out.
 *
 *     thread free again --> offer() --> oldest waiting user starts a run, or passes --> next ...
 */
export class ThreadTurns {
  readonly thread: RunThread;
  readonly #waiting = new Map<object, () => void>();

  constructor(thread: RunThread) {
    this.thread = thread;
  }

  get busy(): boolean {
    return this.thread.busy;
  }

  /** Asks for a turn; `wake` is called once, when the thread is free. A user waits in one place only. */
  wait(user: object, wake: () => void): void {
    if (!this.#waiting.has(user)) this.#waiting.set(user, wake);
  }

  leave(user: object): void {
    this.#waiting.delete(user);
  }

  /** The thread became free: the others that wait go before the one that just ran. */
  offer(justRan: object): void {
    for (const [user, wake] of this.#waiting) {
      if (this.thread.busy) return;
      if (user === justRan) continue;
      this.#waiting.delete(user);
      wake();
    }
  }
}
