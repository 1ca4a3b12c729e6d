import { errorCode, frameHeaderBytes } from './constants.js';
import { ConnectionError } from './errors.js';

export interface FrameSink {
  /**
   * One whole frame; its payload is bytes[start, end). `lasting`: the view stays valid until the read that brought it is
   * over, else only until this returns.
   */
  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number, lasting: boolean): void;
  /** Asked behind each frame; true stops the read there, and the caller goes on later with the rest. Default: never. */
  pauses?(): boolean;
}

/**
 * Cuts what a socket reads into frames (RFC 9113, section 4.1) without copying those that lie whole inside one read.
 *
 *     +-----------------+--------+---------+--+-------------------------+
 *     | length 24 bits  | type 8 | flags 8 |R | stream id 31 | payload  |
 *     +-----------------+--------+---------+--+-------------------------+
 *
 * A frame that is spread over reads is put together in one scratch buffer, never larger than the largest frame.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  /** Our SETTINGS_MAX_FRAME_SIZE. */
  readonly #maxFrameBytes: number;
  #scratch: Buffer | undefined;
  #filled = 0;
  /** Of the frame in the scratch buffer with its header, once its header is complete. */
  #wanted = 0;

  constructor(sink: FrameSink, maxFrameBytes: number) {
    this.#sink = sink;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** True while the peer owes us the rest of a frame. */
  get inFrame(): boolean {
    return this.#filled > 0;
  }

  /** Answers how far it came: the end, unless the sink paused. Throws ConnectionError for a frame that is too long, before any of its payload is kept. */
  read(bytes: Buffer, from = 0): number {
    let at = from;
    const { length } = bytes;
    if (this.#filled > 0) {
      at = this.#complete(bytes, at);
      if (at < length && this.#sink.pauses?.() === true) return at;
    }
    while (length - at >= frameHeaderBytes) {
      const payload = this.#payloadBytes(bytes, at);
      const end = at + frameHeaderBytes + payload;
      if (end > length) break;
      this.#hand(bytes, at, end, true);
      at = end;
      if (at < length && this.#sink.pauses?.() === true) return at;
    }
    if (at < length) this.#keep(bytes, at);
    return length;
  }

  /** Adds to the frame in the scratch buffer; returns how far `bytes` were used. */
  #complete(bytes: Buffer, from: number): number {
    let at = from;
    if (this.#filled < frameHeaderBytes) {
      at = this.#fill(bytes, at, frameHeaderBytes);
      if (this.#filled < frameHeaderBytes) return at;
      this.#wanted = frameHeaderBytes + this.#payloadBytes(this.#scratchFor(frameHeaderBytes), 0);
    }
    at = this.#fill(bytes, at, this.#wanted);
    if (this.#filled < this.#wanted) return at;
    const frame = this.#scratchFor(this.#wanted);
    this.#filled = 0;
    this.#hand(frame, 0, this.#wanted, false);
    return at;
  }

  #keep(bytes: Buffer, from: number): void {
    const left = bytes.length - from;
    this.#wanted = left >= frameHeaderBytes ? frameHeaderBytes + this.#payloadBytes(bytes, from) : 0;
    this.#fill(bytes, from, Math.max(this.#wanted, frameHeaderBytes));
  }

  #fill(bytes: Buffer, from: number, upTo: number): number {
    const count = Math.min(upTo - this.#filled, bytes.length - from);
    bytes.copy(this.#scratchFor(upTo), this.#filled, from, from + count);
    this.#filled += count;
    return from + count;
  }

  /** Grows in steps to the size of the frame: most connections never need more than the smallest. */
  #scratchFor(size: number): Buffer {
    if (this.#scratch !== undefined && this.#scratch.length >= size) return this.#scratch;
    const grown = Buffer.allocUnsafeSlow(size <= 1024 ? 1024 : frameHeaderBytes + this.#maxFrameBytes);
    this.#scratch?.copy(grown, 0, 0, this.#filled);
    this.#scratch = grown;
    return grown;
  }

  #payloadBytes(bytes: Buffer, at: number): number {
    const payload = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    if (payload > this.#maxFrameBytes) {
      throw new ConnectionError(errorCode.frameSizeError, `frame length: expected at most ${this.#maxFrameBytes} bytes, got ${payload}`);
    }
    return payload;
  }

  #hand(bytes: Buffer, at: number, end: number, lasting: boolean): void {
    const streamId =
      (((bytes[at + 5] ?? 0) & 0x7f) << 24) | ((bytes[at + 6] ?? 0) << 16) | ((bytes[at + 7] ?? 0) << 8) | (bytes[at + 8] ?? 0);
    this.#sink.onFrame(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, streamId, bytes, at + frameHeaderBytes, end, lasting);
  }
}
