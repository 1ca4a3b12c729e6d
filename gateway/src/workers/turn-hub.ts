import type { Defer } from '@headrace/batching';
import type { Clock } from '@headrace/runtime';
import type { Claim, Notice, Shared, ToWorker } from './messages.js';
import { beatMs, silentMs } from './messages.js';
import { Outbox } from './outbox.js';
import { TurnKeeper } from './turn-keeper.js';

export interface TurnHubOptions {
  readonly clock: Clock;
  readonly defer: Defer;
  readonly send: (worker: number, message: ToWorker) => void;
}

interface Member {
  readonly outbox: Outbox<Notice>;
  epoch: number;
  heardAtMs: number;
  silent: boolean;
}

const runsPerSlot = 2;
const maxSlots = 10_000;

/**
 * The primary's part of the turns: hands permits out by the keeper's rules and tells each worker what its siblings do.
 * A worker that says nothing for silentMs (it was stopped, or its event loop hangs) is treated as gone until it speaks: its
 * permits go to the others, and nothing is queued up for it.
 */
export class TurnHub {
  readonly #options: TurnHubOptions;
  readonly #keeper = new TurnKeeper({ runsPerSlot, maxSlots });
  readonly #members = new Map<number, Member>();
  #beatAtMs = 0;

  constructor(options: TurnHubOptions) {
    this.#options = options;
  }

  join(worker: number): void {
    const { defer, send, clock } = this.#options;
    const member: Member = {
      outbox: new Outbox(defer, (notices) => {
        if (!member.silent) send(worker, { kind: 'turns', epoch: member.epoch, notices });
      }),
      epoch: 1,
      heardAtMs: clock.nowMs(),
      silent: false,
    };
    this.#members.set(worker, member);
    send(worker, { kind: 'beat', epoch: member.epoch });
  }

  /** Its process ended. */
  leave(worker: number): void {
    if (this.#members.delete(worker)) this.#forget(worker);
  }

  /** It said something, whatever it was. */
  heard(worker: number): void {
    const member = this.#members.get(worker);
    if (member === undefined) return;
    member.heardAtMs = this.#options.clock.nowMs();
    if (!member.silent) return;
    member.silent = false;
    this.#options.send(worker, { kind: 'beat', epoch: member.epoch });
  }

  /** `claims` of one message count together: nobody is served before all of it was read. */
  receive(worker: number, epoch: number, claims: readonly Claim[]): void {
    if (this.#members.get(worker)?.epoch !== epoch) return;
    const nowMs = this.#options.clock.nowMs();
    for (const claim of claims) {
      switch (claim.kind) {
        case 'want':
          this.#keeper.want(worker, claim.target, nowMs - claim.ageMs);
          break;
        case 'back':
          this.#keeper.giveBack(worker, claim.target);
          break;
        case 'resync':
          this.#forget(worker);
          break;
        case 'start':
        case 'end':
        case 'cost':
        case 'bypass':
          this.#tellOthers(worker, claim);
      }
    }
    this.#settle();
  }

  /** To be called every beatMs. */
  beat(): void {
    const nowMs = this.#options.clock.nowMs();
    // A beat that is late was held up here, and what workers said meanwhile has not been read yet.
    const late = nowMs - this.#beatAtMs > 2 * beatMs;
    this.#beatAtMs = nowMs;
    for (const [worker, member] of this.#members) {
      if (member.silent) continue;
      if (!late && nowMs - member.heardAtMs > silentMs) {
        member.silent = true;
        member.epoch += 1;
        member.outbox.clear();
        this.#forget(worker);
      } else this.#options.send(worker, { kind: 'beat', epoch: member.epoch });
    }
  }

  #forget(worker: number): void {
    this.#keeper.leave(worker);
    for (const [other, { outbox, silent }] of this.#members) if (other !== worker && !silent) outbox.push({ kind: 'gone', from: worker });
    this.#settle();
  }

  #tellOthers(from: number, what: Shared): void {
    for (const [other, { outbox, silent }] of this.#members) if (other !== from && !silent) outbox.push({ kind: 'told', from, what });
  }

  #settle(): void {
    for (const { kind, worker, target } of this.#keeper.settle()) this.#members.get(worker)?.outbox.push({ kind, target });
  }
}
