import { frameFlag, frameType } from '../frames/constants.js';
import type { Output } from '../frames/output.js';
import type { HeldBudget } from './held-budget.js';
import type { Stream } from './stream.js';

/** What the queue needs to know of its connection. */
export interface SendState {
  /** The connection's own window. */
  sendWindow: number;
  dataFramesSent: number;
  readonly maxSendFrameBytes: number;
  readonly output: Output;
  /** Everything queued went out; writes the trailers that waited and closes the local side. */
  queueSent(stream: Stream): void;
}

/**
 * DATA that cannot go at once. Streams that may send stand in a ring and take turns of one frame (RFC 9113, section 5.2 leaves
 * the order to us), so that a large tensor does not hold up small replies.
 *
 *     ring:  s5 -> s9 -> s3      s7 (its window is 0: not in the ring until WINDOW_UPDATE)
 *            |______ one frame of at most maxSendFrameBytes, then to the end
 */
export class SendQueue {
  readonly #state: SendState;
  readonly #budget: HeldBudget | undefined;
  #first: Stream | undefined;
  #last: Stream | undefined;
  #pumping = false;
  queuedBytes = 0;

  constructor(state: SendState, budget?: HeldBudget) {
    this.#state = state;
    this.#budget = budget;
  }

  /** Nobody waits for a turn: a small message may go past the queue. */
  get idle(): boolean {
    return this.#first === undefined;
  }

  push(stream: Stream, bytes: Buffer): void {
    if (bytes.length === 0) return;
    stream.queue.push(bytes);
    stream.queuedBytes += bytes.length;
    this.queuedBytes += bytes.length;
    this.#budget?.charge(bytes.length);
  }

  /** It has something to send, and may have a window for it. */
  ready(stream: Stream): void {
    if (stream.isReady || stream.closed || (stream.queuedBytes > 0 && stream.sendWindow <= 0)) return;
    stream.isReady = true;
    stream.nextReady = undefined;
    if (this.#last === undefined) this.#first = stream;
    else this.#last.nextReady = stream;
    this.#last = stream;
  }

  /** Forgets what it holds. A closed stream is skipped when its turn comes. */
  discard(stream: Stream): void {
    this.queuedBytes -= stream.queuedBytes;
    this.#budget?.give(stream.queuedBytes);
    stream.queuedBytes = 0;
    stream.queueOffset = 0;
    stream.queue.length = 0;
    stream.queuedTrailers = undefined;
  }

  /** Sends what windows and the socket allow. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#first !== undefined && !this.#state.output.congested) {
        const stream = this.#first;
        if (stream.queuedBytes > 0 && !stream.closed && this.#state.sendWindow <= 0) return;
        this.#leaveRing(stream);
        if (!stream.closed) this.#turn(stream);
      }
    } finally {
      this.#pumping = false;
    }
  }

  #turn(stream: Stream): void {
    const state = this.#state;
    const bytes = Math.min(stream.queuedBytes, state.maxSendFrameBytes, stream.sendWindow, state.sendWindow);
    if (stream.queuedBytes > 0) {
      if (bytes <= 0) return;
      this.#writeData(stream, bytes);
    }
    if (stream.queuedBytes > 0) this.ready(stream);
    else state.queueSent(stream);
  }

  #writeData(stream: Stream, bytes: number): void {
    const state = this.#state;
    const last = bytes === stream.queuedBytes && stream.endAfterQueue && stream.queuedTrailers === undefined;
    const { output } = state;
    output.frameHeader(frameType.data, last ? frameFlag.endStream : 0, stream.id, bytes);
    let left = bytes;
    while (left > 0) {
      const part = stream.queue[0];
      if (part === undefined) break;
      const to = Math.min(part.length, stream.queueOffset + left);
      output.bytes(stream.queueOffset === 0 && to === part.length ? part : part.subarray(stream.queueOffset, to));
      left -= to - stream.queueOffset;
      if (to === part.length) {
        stream.queue.shift();
        stream.queueOffset = 0;
      } else stream.queueOffset = to;
    }
    stream.queuedBytes -= bytes;
    this.queuedBytes -= bytes;
    this.#budget?.give(bytes);
    stream.sentBytes += bytes;
    stream.sendWindow -= bytes;
    state.sendWindow -= bytes;
    state.dataFramesSent++;
  }

  #leaveRing(stream: Stream): void {
    this.#first = stream.nextReady;
    if (this.#first === undefined) this.#last = undefined;
    stream.nextReady = undefined;
    stream.isReady = false;
  }
}
