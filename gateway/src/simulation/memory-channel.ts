import { statusCode } from '@headrace/runtime';
import type { Clock, StatusCode } from '@headrace/runtime';
import { Metadata } from '@headrace/wire';
import type { CallOptions, Channel, ChannelState, UnaryOutcome } from '@headrace/wire';

export type EngineAnswer =
  | { readonly ok: true; readonly message: Buffer }
  | { readonly ok: false; readonly code: StatusCode; readonly message: string };

/** What a memory channel leads to. */
export interface InferEngine {
  /** The message is borrowed. `answer` is never called synchronously, and not after the returned cancel. */
  infer(message: Buffer, answer: (answer: EngineAnswer) => void): () => void;
}

/** A channel into an engine of this process, without a network: with a clock that is moved by hand whole timelines run in no time. ModelInfer only. */
export class MemoryChannel implements Channel {
  readonly #engine: InferEngine;
  readonly #clock: Clock;
  readonly #open = new Set<(outcome: UnaryOutcome) => void>();
  readonly #listeners: ((state: ChannelState) => void)[] = [];
  #state: ChannelState = 'ready';

  constructor(engine: InferEngine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  unary(_path: string, message: Buffer, _options: CallOptions, done: (outcome: UnaryOutcome) => void): { cancel(): void } {
    const end = (outcome: UnaryOutcome): void => {
      if (this.#open.delete(end)) done(outcome);
    };
    this.#open.add(end);
    if (this.#state !== 'ready') {
      this.#clock.setTimer(() => end(lost), 0);
      return { cancel: () => {} };
    }
    const cancel = this.#engine.infer(message, (answer) => {
      if (answer.ok) end({ ok: true, message: answer.message, headers: new Metadata(), trailers: new Metadata() });
      else end({ ok: false, status: answer, headers: new Metadata(), notProcessed: false });
    });
    return {
      cancel: () => {
        cancel();
        this.#clock.setTimer(
          () =>
            end({ ok: false, status: { code: statusCode.CANCELLED, message: 'cancelled' }, headers: new Metadata(), notProcessed: false }),
          0,
        );
      },
    };
  }

  stream(): never {
    throw new Error('a memory channel has no streams');
  }

  state(): ChannelState {
    return this.#state;
  }

  connect(): void {
    this.#set('ready');
  }

  onState(listener: (state: ChannelState) => void): void {
    this.#listeners.push(listener);
  }

  /** The connection breaks: calls under way fail, and so do new ones until connect(). */
  cut(): void {
    this.#set('failing');
    for (const end of [...this.#open]) end(lost);
  }

  close(): void {
    this.#set('closed');
  }

  #set(state: ChannelState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}

const lost: UnaryOutcome = {
  ok: false,
  status: { code: statusCode.UNAVAILABLE, message: 'connection dropped' },
  headers: new Metadata(),
  notProcessed: false,
};
