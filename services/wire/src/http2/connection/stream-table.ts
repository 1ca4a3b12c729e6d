import { errorCode, maxWindowBytes } from '../frames/constants.js';
import { ConnectionError } from '../frames/errors.js';
import type { Stream } from './stream.js';

/** Closed streams that are still remembered: frames for them may be on their way, and are no mistake of the peer's. */
const maxRemembered = 256;

/** How a stream that is no longer there ended; decides what a late frame for it means (RFC 9113, section 5.1). */
export type ClosedBy =
  /** We sent RST_STREAM: the peer may not have known. */
  | 'us'
  /** The peer sent RST_STREAM or END_STREAM: it should know better. */
  | 'peer';

/** Slots to begin with; doubled while most of them are taken. A power of two. */
const firstSlots = 64;
/** Above it, streams whose slots are taken go into the map: far beyond what any peer is allowed at once. */
const maxSlots = 1 << 16;

/**
 * The streams of a connection by their id.
 *
 *     ids of one side:   1   3   5   7  ...            slot = (id >> 1) mod the number of slots
 *     slots:           [ 65 | 3 | . | 7 | ... ]        a stream that outlives a whole round keeps its slot:
 *     crowded (Map):     129 -> stream                 whoever comes to it meanwhile goes into the map
 *
 * Not one Map for all: it makes itself anew every few dozen insertions, and V8's old tables point to the next one. Once one of
 * them is in the old generation, all that follow it get there, with the streams in them and the requests of those, until a full
 * collection (measured: 27 % of all that was allocated was promoted, scavenges of 3.5 ms every 20 ms).
 */
export class StreamTable {
  #slots = Array.from<Stream | undefined>({ length: firstSlots });
  readonly #crowded = new Map<number, Stream>();
  #size = 0;
  // The last that closed: a ring, written at #next.
  readonly #closedIds = new Uint32Array(maxRemembered);
  readonly #closedBy = Array.from<ClosedBy | undefined>({ length: maxRemembered });
  #next = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): Stream | undefined {
    const stream = this.#slots[this.#slotOf(id)];
    if (stream !== undefined && stream.id === id) return stream;
    return this.#crowded.size === 0 ? undefined : this.#crowded.get(id);
  }

  /** The id must not be open yet. */
  add(stream: Stream): void {
    this.#size += 1;
    if (2 * this.#size > this.#slots.length && this.#slots.length < maxSlots) this.#grow();
    this.#place(stream);
  }

  close(id: number, by: ClosedBy): void {
    const slot = this.#slotOf(id);
    if (this.#slots[slot]?.id === id) this.#slots[slot] = undefined;
    else if (!this.#crowded.delete(id)) return;
    this.#size -= 1;
    this.remember(id, by);
  }

  /** Also for streams that were refused and never opened. The oldest are forgotten. */
  remember(id: number, by: ClosedBy): void {
    this.#closedIds[this.#next] = id;
    this.#closedBy[this.#next] = by;
    this.#next = (this.#next + 1) % maxRemembered;
  }

  /** What was remembered last of it. */
  closedBy(id: number): ClosedBy | undefined {
    for (let back = 1; back <= maxRemembered; back++) {
      const index = (this.#next - back + maxRemembered) % maxRemembered;
      if (this.#closedIds[index] === id) return this.#closedBy[index];
    }
    return undefined;
  }

  /** In no particular order; a copy, so that what is done with the streams may close them. */
  values(): Stream[] {
    return [...this.#slots.filter((stream) => stream !== undefined), ...this.#crowded.values()];
  }

  #slotOf(id: number): number {
    return (id >>> 1) & (this.#slots.length - 1);
  }

  #place(stream: Stream): void {
    const slot = this.#slotOf(stream.id);
    if (this.#slots[slot] === undefined) this.#slots[slot] = stream;
    else this.#crowded.set(stream.id, stream);
  }

  #grow(): void {
    const streams = this.values();
    this.#slots = Array.from<Stream | undefined>({ length: 2 * this.#slots.length });
    this.#crowded.clear();
    for (const stream of streams) this.#place(stream);
  }

  /**
   * The peer changed INITIAL_WINDOW_SIZE. All at once, before anything is sent: what is sent may end streams and begin others, which have the new window
   * already. `ready` is called for each that waits for a window. Throws ConnectionError (RFC 9113, section 6.9.2).
   */
  moveSendWindows(change: number, ready: (stream: Stream) => void): void {
    for (const stream of this.values()) {
      stream.sendWindow += change;
      if (stream.sendWindow > maxWindowBytes) {
        throw new ConnectionError(
          errorCode.flowControlError,
          `INITIAL_WINDOW_SIZE: the window of stream ${stream.id} would exceed 2^31-1 bytes`,
        );
      }
      if (stream.queuedBytes > 0) ready(stream);
    }
  }
}
