import { statSync } from 'node:fs';
import type { Clock, Timer } from '@headrace/runtime';

/** Polled, not watched: a Secret that Kubernetes mounts changes by swapping a symbolic link, which inotify does not tell of. */
const pollMs = 5_000;
/** A pair of files is written one after the other: wait until nothing has changed for one more round. */

export class WatchedFiles {
  readonly #clock: Clock;
  readonly #files: readonly string[];
  readonly #onChange: () => void;
  #known: string;
  #pending: string | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock, files: readonly string[], onChange: () => void) {
    this.#clock = clock;
    this.#files = files;
    this.#onChange = onChange;
    this.#known = this.#stamp();
    this.#next();
  }

  close(): void {
    this.#timer?.cancel();
  }

  #next(): void {
    this.#timer = this.#clock.setTimer(() => {
      this.#look();
      this.#next();
    }, pollMs);
  }

  #look(): void {
    const now = this.#stamp();
    if (now === this.#known) {
      this.#pending = undefined;
      return;
    }
    if (now !== this.#pending) {
      this.#pending = now;
      return;
    }
    this.#pending = undefined;
    this.#known = now;
    this.#onChange();
  }

  /** Follows links. A file that is gone for a moment keeps what was known. */
  #stamp(): string {
    try {
      return this.#files
        .map((file) => {
          const { mtimeMs, ino, size } = statSync(file);
          return `${mtimeMs}:${ino}:${size}`;
        })
        .join(' ');
    } catch {
      return this.#known ?? '';
    }
  }
}
