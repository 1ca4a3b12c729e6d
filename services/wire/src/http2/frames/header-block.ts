import { errorCode } from './constants.js';
import { ConnectionError } from './errors.js';

/**
 * The header block that HEADERS and CONTINUATION frames carry in pieces (RFC 9113, section 4.3). Bounded in bytes and in
 * frames: a peer that never sets END_HEADERS (CVE-2024-27316) is cut off after a few.
 */
export class HeaderBlock {
  readonly #maxBytes: number;
  readonly #maxContinuations: number;
  #parts: Buffer[] = [];
  #bytes = 0;
  streamId = 0;
  endStream = false;

  constructor(maxBytes: number, maxContinuations: number) {
    this.#maxBytes = maxBytes;
    this.#maxContinuations = maxContinuations;
  }

  /** Until it is complete no other frame may come on the connection. */
  get open(): boolean {
    return this.streamId !== 0;
  }

  begin(streamId: number, endStream: boolean, bytes: Buffer, start: number, end: number): void {
    this.streamId = streamId;
    this.endStream = endStream;
    this.add(bytes, start, end);
  }

  add(bytes: Buffer, start: number, end: number): void {
    this.#bytes += end - start;
    if (this.#bytes > this.#maxBytes) {
      throw new ConnectionError(errorCode.enhanceYourCalm, `header block: expected at most ${this.#maxBytes} bytes, got more`);
    }
    if (this.#parts.length > this.#maxContinuations) {
      throw new ConnectionError(errorCode.enhanceYourCalm, `header block: expected at most ${this.#maxContinuations} CONTINUATION frames`);
    }
    this.#parts.push(Buffer.from(bytes.subarray(start, end)));
  }

  /** The whole block; ready for the next. */
  take(): Buffer {
    const block = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    this.streamId = 0;
    return block;
  }
}
