import { systemClock } from '@headrace/runtime';
import type { CallOptions, Channel, ClientStream, Metadata, UnaryOutcome, WireStatus } from '@headrace/wire';

/** Ends what hangs; how long something takes is not what is tested. */
const callLimitMs = 60_000;

/** A unary call with its reply copied. */
export function callUnary(channel: Channel, path: string, message: Buffer, options: CallOptions = {}): Promise<UnaryOutcome> {
  return new Promise((resolve) => {
    channel.unary(path, message, { ...limited(), ...options }, (outcome) =>
      resolve(outcome.ok ? { ...outcome, message: Buffer.from(outcome.message) } : outcome),
    );
  });
}

/** One streaming call, read message by message. */
export class Conversation {
  readonly stream: ClientStream;
  readonly status: Promise<WireStatus>;
  headers: Metadata | undefined;
  readonly #arrived: Buffer[] = [];
  #ended = false;
  #wake: () => void = () => {};

  constructor(channel: Channel, path: string, options: CallOptions = {}) {
    let settle: (status: WireStatus) => void = () => {};
    this.status = new Promise((resolve) => {
      settle = resolve;
    });
    this.stream = channel.stream(
      path,
      { ...limited(), ...options },
      {
        onHeaders: (headers) => {
          this.headers = headers;
        },
        onMessage: (message) => {
          this.#arrived.push(Buffer.from(message));
          this.#wake();
        },
        onStatus: (status) => {
          this.#ended = true;
          settle(status);
          this.#wake();
        },
      },
    );
  }

  /** The next message; undefined once the stream has ended. */
  async next(): Promise<Buffer | undefined> {
    while (this.#arrived.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#arrived.shift();
  }

  async rest(): Promise<readonly Buffer[]> {
    const all: Buffer[] = [];
    for (let message = await this.next(); message !== undefined; message = await this.next()) all.push(message);
    return all;
  }
}

function limited(): CallOptions {
  return { deadlineMs: systemClock.nowMs() + callLimitMs, waitForReady: true };
}
