import { describeError } from '@headrace/runtime';
import type { Clock } from '@headrace/runtime';
import type { LeaseAnswer, LeaseAsk } from '../domain/lease-store.js';
import type { LeaseReply, NumberedAsk, ToWorker } from './messages.js';

/** The buckets that all workers share, as the primary needs them. */
export interface SharedBook {
  /** Undefined: the ask was overtaken. Throws on one that no worker makes. */
  exchange(ask: LeaseAsk, nowMs: number): readonly LeaseAnswer[] | undefined;
  sweep(nowMs: number): void;
}

export interface LeaseDeskOptions {
  readonly clock: Clock;
  readonly book: SharedBook;
  readonly send: (worker: number, message: ToWorker) => void;
}

/** The primary's part of shared quotas: what one message asks is answered by one message, and nothing is kept for anybody. */
export class LeaseDesk {
  readonly #options: LeaseDeskOptions;

  constructor(options: LeaseDeskOptions) {
    this.#options = options;
  }

  receive(worker: number, asks: readonly NumberedAsk[]): void {
    const { clock, send } = this.#options;
    const nowMs = clock.nowMs();
    send(worker, { kind: 'leases', replies: asks.map((ask) => this.#reply(ask, nowMs)) });
  }

  /** To be called every beatMs. */
  beat(): void {
    this.#options.book.sweep(this.#options.clock.nowMs());
  }

  #reply({ id, ask }: NumberedAsk, nowMs: number): LeaseReply {
    try {
      return { id, answers: this.#options.book.exchange(ask, nowMs) ?? null };
    } catch (error) {
      return { id, answers: null, problem: describeError(error) };
    }
  }
}
