import type { Clock } from '@headrace/runtime';

interface Entry {
  readonly targetId: string;
  readonly backend: string;
  readonly life: number;
  usedMs: number;
}

export type Pin =
  | { readonly kind: 'pinned'; readonly targetId: string }
  | { readonly kind: 'free' }
  | { readonly kind: 'lost'; readonly backend: string };

/**
 * Which backend holds the state of a sequence. Bounded: entries idle past the time to live go, and when full the
 * longest idle one goes (a Map keeps insertion order; use re-inserts).
 *
 * A sequence whose backend was lost is answered once with `lost` and then forgotten unless it starts anew: its state is
 * gone with the process, and going on silently elsewhere would give a wrong result.
 */
export class SequenceAffinity {
  readonly #clock: Clock;
  readonly #maxEntries: number;
  readonly #ttlMs: number;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock, limits: { maxEntries: number; ttlMs: number }) {
    this.#clock = clock;
    this.#maxEntries = limits.maxEntries;
    this.#ttlMs = limits.ttlMs;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** `lifeOf` tells a backend's present life, undefined when it is not ready: a restart is a loss as well. */
  find(key: string, start: boolean, lifeOf: (backend: string) => number | undefined): Pin {
    this.#expire();
    const entry = this.#entries.get(key);
    if (entry === undefined) return { kind: 'free' };
    if (lifeOf(entry.backend) === entry.life) {
      this.#touch(key, entry);
      return { kind: 'pinned', targetId: entry.targetId };
    }
    this.#entries.delete(key);
    return start ? { kind: 'free' } : { kind: 'lost', backend: entry.backend };
  }

  pin(key: string, targetId: string, backend: string, life: number): void {
    if (!this.#entries.has(key) && this.#entries.size >= this.#maxEntries) {
      const oldest = this.#entries.keys().next();
      if (oldest.done !== true) this.#entries.delete(oldest.value);
    }
    this.#touch(key, { targetId, backend, life, usedMs: 0 });
  }

  release(key: string): void {
    this.#entries.delete(key);
  }

  #touch(key: string, entry: Entry): void {
    entry.usedMs = this.#clock.nowMs();
    this.#entries.delete(key);
    this.#entries.set(key, entry);
  }

  #expire(): void {
    const before = this.#clock.nowMs() - this.#ttlMs;
    for (const [key, entry] of this.#entries) {
      if (entry.usedMs > before) return;
      this.#entries.delete(key);
    }
  }
}
