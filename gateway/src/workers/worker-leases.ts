import type { Defer } from '@headrace/batching';
import type { Clock, Timer } from '@headrace/runtime';
import type { LeaseAnswer, LeaseAsk, LeaseStore } from '../domain/lease-store.js';
import type { FromWorker, LeaseReply, NumberedAsk } from './messages.js';
import { silentMs } from './messages.js';
import { Outbox } from './outbox.js';

export interface WorkerLeasesOptions {
  readonly clock: Clock;
  readonly defer: Defer;
  readonly send: (message: FromWorker) => void;
}

interface OpenAsk {
  readonly sentAtMs: number;
  readonly resolve: (answers: readonly LeaseAnswer[] | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** Who asks gives up long before; this is when the promise is settled, as with a connection to Redis that says nothing. */
const giveUpMs = silentMs;
/** Twice what a gateway has under way at most, as it asks once more for all when it ends. */
const maxOpen = 2_048;
/** About a millisecond of the primary's time, who must not keep those waiting for it who want a turn. */
const mostPerMessage = 128;

/** The store that gives a tenant one limit over all workers of one gateway. Undefined for a gateway that is alone, which needs none. */
export function leaseStoreOf(link: { readonly leases: LeaseStore } | undefined): LeaseStore | undefined {
  return link?.leases;
}

/**
 * The store of shared quotas at a worker: asks the primary process, once in a turn of the event loop. While the primary
 * is silent all asks are refused at once, and nothing is written to a process that does not read.
 */
export class WorkerLeases implements LeaseStore {
  readonly #clock: Clock;
  readonly #outbox: Outbox<NumberedAsk>;
  /** Oldest first. */
  readonly #open = new Map<number, OpenAsk>();
  #lastId = 0;
  #heardAtMs: number;
  #timer: Timer | undefined;
  #closed = false;

  constructor({ clock, defer, send }: WorkerLeasesOptions) {
    this.#clock = clock;
    this.#heardAtMs = clock.nowMs();
    this.#outbox = new Outbox(defer, (asks) => {
      for (let from = 0; from < asks.length; from += mostPerMessage) {
        send({ kind: 'leases', asks: asks.slice(from, from + mostPerMessage) });
      }
    });
  }

  exchange(ask: LeaseAsk): Promise<readonly LeaseAnswer[] | undefined> {
    const nowMs = this.#clock.nowMs();
    if (this.#closed) return refused('this worker has ended');
    if (nowMs - this.#heardAtMs > silentMs) return refused('the primary process is silent');
    if (this.#open.size >= maxOpen) return refused(`expected at most ${maxOpen} exchanges under way`);
    const id = ++this.#lastId;
    this.#outbox.push({ id, ask });
    this.#timer ??= this.#clock.setTimer(() => this.#giveUp(), giveUpMs);
    return new Promise((resolve, reject) => this.#open.set(id, { sentAtMs: nowMs, resolve, reject }));
  }

  /** The primary said something, whatever it was. */
  heard(): void {
    this.#heardAtMs = this.#clock.nowMs();
  }

  receive(replies: readonly LeaseReply[]): void {
    for (const { id, answers, problem } of replies) {
      const open = this.#open.get(id);
      if (!this.#open.delete(id)) continue;
      if (problem === undefined) open?.resolve(answers ?? undefined);
      else open?.reject(new Error(`shared quotas: ${problem}`));
    }
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#outbox.clear();
    for (const { reject } of this.#open.values()) reject(new Error('shared quotas: this worker has ended'));
    this.#open.clear();
  }

  #giveUp(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.nowMs();
    for (const [id, { sentAtMs, reject }] of this.#open) {
      const leftMs = sentAtMs + giveUpMs - nowMs;
      if (leftMs > 0) {
        this.#timer = this.#clock.setTimer(() => this.#giveUp(), leftMs);
        return;
      }
      this.#open.delete(id);
      reject(new Error(`shared quotas: the primary process did not answer in ${giveUpMs} ms`));
    }
  }
}

function refused(why: string): Promise<never> {
  return Promise.reject(new Error(`shared quotas: ${why}`));
}
