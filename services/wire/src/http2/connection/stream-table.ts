import type { Stream } from './stream.js';

/** Closed streams that are still remembered: frames for them may be on their way, and are no mistake of the peer's. */
const maxRemembered = 256;

/** How a stream that is no longer there ended; decides what a late frame for it means (RFC 9113, section 5.1). */
export type ClosedBy =
  /** We sent RST_STREAM: the peer may not have known. */
  | 'us'
  /** The peer sent RST_STREAM or END_STREAM: it should know better. */
  | 'peer';

/** The streams of a connection by their id. */
export class StreamTable {
  readonly #open = new Map<number, Stream>();
  readonly #closed = new Map<number, ClosedBy>();

  get size(): number {
    return this.#open.size;
  }

  get(id: number): Stream | undefined {
    return this.#open.get(id);
  }

  add(stream: Stream): void {
    this.#open.set(stream.id, stream);
  }

  close(id: number, by: ClosedBy): void {
    if (this.#open.delete(id)) this.remember(id, by);
  }

  /** Also for streams that were refused and never opened. The oldest are forgotten. */
  remember(id: number, by: ClosedBy): void {
    this.#closed.set(id, by);
    if (this.#closed.size <= maxRemembered) return;
    for (const oldest of this.#closed.keys()) {
      this.#closed.delete(oldest);
      return;
    }
  }

  closedBy(id: number): ClosedBy | undefined {
    return this.#closed.get(id);
  }

  values(): IterableIterator<Stream> {
    return this.#open.values();
  }
}
