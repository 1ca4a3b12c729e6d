/** Weights of a timer that was later than was thought, and of one that was less late: about the tenth of them that are latest. */
const rising = 0.25;
const falling = 0.03;

/** By how much timers are late on a busy event loop, so that what has to be done by a time is asked for that much sooner. */
export class Lateness {
  #ms = 0;

  get ms(): number {
    return this.#ms;
  }

  note(lateMs: number): void {
    const ms = Math.max(0, lateMs);
    this.#ms += (ms - this.#ms) * (ms > this.#ms ? rising : falling);
  }
}
