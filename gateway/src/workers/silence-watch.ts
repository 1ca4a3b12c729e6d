import { silentMs } from './messages.js';

/** One that starts loads its modules and may say nothing meanwhile: it has so many times the limit. */
const startingFactor = 6;

interface Watched {
  silentMs: number;
  listening: boolean;
}

/** Who is to be ended, and how long it has said nothing. */
export interface SilentWorker {
  readonly worker: number;
  readonly silentMs: number;
}

/**
 * Which worker has been silent for so long that it will not come back: its event loop hangs, or it was stopped. Pure but for
 * what it remembers.
 *
 * What is counted is the time that the primary itself was awake for. A laptop that sleeps, a frozen container or a stopped
 * process group stops the primary too: its next look comes late, what workers said meanwhile has not been read yet, and all
 * begin anew. And one at a time: after each, the others begin anew. What silences all at once is rather the machine
 * than the workers, and who is well speaks in that time; e.g. with 10 s, four that hang are ended after 10, 20, 30 and 40 s.
 */
export class SilenceWatch {
  readonly #limitMs: number;
  readonly #workers = new Map<number, Watched>();
  #lookedAtMs: number;

  /** `limitMs` Infinity: nobody is ever ended. */
  constructor(limitMs: number, nowMs: number) {
    this.#limitMs = limitMs;
    this.#lookedAtMs = nowMs;
  }

  join(worker: number): void {
    this.#workers.set(worker, { silentMs: 0, listening: false });
  }

  leave(worker: number): void {
    this.#workers.delete(worker);
  }

  heard(worker: number): void {
    const watched = this.#workers.get(worker);
    if (watched !== undefined) watched.silentMs = 0;
  }

  listens(worker: number): void {
    const watched = this.#workers.get(worker);
    if (watched !== undefined) watched.listening = true;
  }

  /** To be called every beatMs. */
  look(nowMs: number): SilentWorker | undefined {
    const passedMs = nowMs - this.#lookedAtMs;
    this.#lookedAtMs = nowMs;
    if (passedMs > silentMs) {
      this.#beginAnew();
      return undefined;
    }
    let found: SilentWorker | undefined;
    for (const [worker, watched] of this.#workers) {
      watched.silentMs += passedMs;
      if (watched.silentMs >= this.#limitMs * (watched.listening ? 1 : startingFactor)) found ??= { worker, silentMs: watched.silentMs };
    }
    if (found !== undefined) this.#beginAnew();
    return found;
  }

  #beginAnew(): void {
    for (const watched of this.#workers.values()) watched.silentMs = 0;
  }
}
