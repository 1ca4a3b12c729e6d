import type { MessageReader, MessageSink, ReceiveBudget } from '../message-reader.js';
import { messagePrefixBytes, writePrefix } from '../message-writer.js';

/** A message as it travels. `flag`: its first byte, 0 or 1 by the rules. */
export function framed(message: string | Uint8Array, flag = 0): Buffer {
  const bytes = Buffer.from(message);
  const out = Buffer.alloc(messagePrefixBytes + bytes.length);
  bytes.copy(out, writePrefix(out, 0, bytes.length, false));
  out[0] = flag;
  return out;
}

export function joined(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

/** Writes down what a reader tells it; `log` has messages as text. */
export class Recorder implements MessageSink {
  readonly log: string[] = [];
  /** The views themselves, which later bytes may overwrite. */
  readonly messages: Buffer[] = [];
  readonly texts: string[] = [];
  readonly compressed: boolean[] = [];
  reader: MessageReader | undefined;
  onEach: (() => void) | undefined;
  /** Pauses once, after so many messages. */
  pauseAfter = Infinity;

  onMessage(message: Buffer, compressed: boolean): void {
    const text = message.toString('latin1');
    this.messages.push(message);
    this.texts.push(text);
    this.compressed.push(compressed);
    this.log.push(text);
    if (this.messages.length === this.pauseAfter) this.reader?.pause();
    this.onEach?.();
  }

  onEnd(): void {
    this.log.push('end');
  }

  onTooLarge(length: number): void {
    this.log.push(`too large: ${length}`);
  }

  onMalformed(text: string): void {
    this.log.push(`malformed: ${text}`);
  }

  onNoMemory(): void {
    this.log.push('no memory');
  }
}

/** Counts, and throws when more is given back than was taken. */
export class CountedBudget implements ReceiveBudget {
  readonly #maxBytes: number;
  usedBytes = 0;
  peakBytes = 0;
  takes = 0;

  constructor(maxBytes = Infinity) {
    this.#maxBytes = maxBytes;
  }

  take(bytes: number): boolean {
    if (this.usedBytes + bytes > this.#maxBytes) return false;
    this.takes++;
    this.usedBytes += bytes;
    this.peakBytes = Math.max(this.peakBytes, this.usedBytes);
    return true;
  }

  give(bytes: number): void {
    this.usedBytes -= bytes;
    if (this.usedBytes < 0) throw new Error(`${-this.usedBytes} bytes more were given back than taken`);
  }
}
