import type { CostBook, Defer } from '@headrace/batching';
import type { Clock, Timer } from '@headrace/runtime';
import type { LaneBook, RunBook, SlotLoad, SlotRun, SlotTurns, Waiting } from '../domain/slot-turns.js';
import type { Claim, FromWorker, Notice, Shared, ToWorker } from './messages.js';
import { beatMs, silentMs } from './messages.js';
import { Outbox } from './outbox.js';
import { SiblingRuns } from './sibling-runs.js';

export interface WorkerTurnsOptions {
  readonly clock: Clock;
  readonly defer: Defer;
  readonly send: (message: FromWorker) => void;
}

interface Slot {
  readonly model: string;
  waiting: () => Waiting;
  /** Permits here, and those of them that a run uses. */
  held: number;
  inUse: number;
  /** Own runs, with a permit or without. */
  own: number;
  asked: boolean;
  /** A sibling wants one. */
  recalled: boolean;
  /** When all that the slot holds should be done. */
  freeAtMs: number;
  seenAtMs: number;
}

interface OwnRun {
  readonly id: number;
  permit: boolean;
}

/** A permit from a sibling takes about two hops; an equal slot that is ours already is better. */
const handOverMs = 0.25;
/** A recalled permit that waits for its moment is kept until the slot should be free, and this long. */
const graceMs = 5;
const longestGraceMs = 1_000;
/** Slots that nobody asked about for this long are gone from the table, or idle: their permits go back. */
const unusedMs = 60_000;

/**
 * The worker's part of the turns. While the primary is silent each worker serves each slot with one run at a time, its share
 * of running and staged: nothing waits for a primary that is stuck.
 */
export class WorkerTurns implements SlotTurns {
  readonly #clock: Clock;
  readonly #send: (message: FromWorker) => void;
  readonly #outbox: Outbox<Claim>;
  readonly #slots = new Map<string, Slot>();
  readonly #own = new Map<SlotRun, OwnRun>();
  #lanes: LaneBook | undefined;
  #siblings: Pick<SiblingRuns<SlotRun>, 'start' | 'end' | 'forget'> | undefined;
  #costs: CostBook | undefined;
  #timer: Timer | undefined;
  #lastRun = 0;
  #epoch = 0;
  #heardAtMs: number;
  #silent = false;
  #onFallback: () => void = () => undefined;

  constructor(options: WorkerTurnsOptions) {
    this.#clock = options.clock;
    this.#send = options.send;
    this.#outbox = new Outbox(options.defer, (claims) => options.send({ kind: 'turns', epoch: this.#epoch, claims }));
    this.#heardAtMs = this.#clock.nowMs();
    this.#beat();
  }

  attachRuns<R extends SlotRun>(book: RunBook<R>): void {
    this.#siblings = new SiblingRuns(book);
  }

  attachLanes(lanes: LaneBook): void {
    this.#lanes = lanes;
  }

  /** `count` is called for each run that started without a turn because the primary was silent. */
  onFallback(count: () => void): void {
    this.#onFallback = count;
  }

  /** The book with what siblings observe in it, and what is observed here told to them. */
  shareCosts(book: CostBook): CostBook {
    this.#costs = book;
    return {
      estimate: (shapeClass, podClass) => book.estimate(shapeClass, podClass),
      observe: (shapeClass, podClass, rows, runMs) => {
        book.observe(shapeClass, podClass, rows, runMs);
        this.#tell({ kind: 'cost', shapeClass, podClass, rows, runMs });
      },
      reset: (shapeClass) => book.reset(shapeClass),
    };
  }

  gate<T extends SlotLoad>(model: string, targets: readonly T[], waiting: () => Waiting): readonly T[] {
    const nowMs = this.#clock.nowMs();
    let now: Waiting | undefined;
    return targets.map((target) => {
      const slot = this.#slots.get(target.id) ?? this.#newSlot(target.id, model, waiting);
      slot.waiting = waiting;
      slot.seenAtMs = nowMs;
      slot.freeAtMs = nowMs + target.freeInMs;
      if (this.#silent) return { ...target, capacity: 1 };
      if (slot.held > slot.inUse) return target;
      now ??= waiting();
      if (!slot.asked && now.queuedRequests > 0) this.#ask(target.id, slot, now);
      return shut(target);
    });
  }

  started(run: SlotRun): void {
    const id = ++this.#lastRun;
    const slot = this.#slots.get(run.targetId);
    const permit = slot !== undefined && slot.held > slot.inUse;
    if (slot !== undefined) {
      slot.own += 1;
      if (permit) slot.inUse += 1;
    }
    this.#own.set(run, { id, permit });
    if (this.#silent) this.#onFallback();
    this.#tell(startOf(id, run));
  }

  ended(run: SlotRun): void {
    const own = this.#own.get(run);
    if (own === undefined) return;
    this.#own.delete(run);
    this.#tell({ kind: 'end', id: own.id });
    const slot = this.#slots.get(run.targetId);
    if (slot === undefined) return;
    slot.own -= 1;
    if (!own.permit) return;
    slot.inUse -= 1;
    if (slot.recalled) this.#giveBack(run.targetId, slot);
  }

  bypassSpent(model: string, version: string, spentMs: number): void {
    this.#tell({ kind: 'bypass', model, version, spentMs });
  }

  receive(message: Extract<ToWorker, { kind: 'turns' | 'beat' }>): void {
    this.#heardAtMs = this.#clock.nowMs();
    if (this.#silent || message.epoch !== this.#epoch) this.#resync(message.epoch);
    if (message.kind === 'beat') return;
    const changed = new Set<string>();
    for (const notice of message.notices) {
      const model = this.#take(notice);
      if (model !== undefined) changed.add(model);
    }
    for (const model of changed) this.#lanes?.turnsChanged(model);
  }

  close(): void {
    this.#timer?.cancel();
  }

  /** The model for which something became possible, if any. */
  #take(notice: Notice): string | undefined {
    const nowMs = this.#clock.nowMs();
    switch (notice.kind) {
      case 'grant':
        return this.#granted(notice.target);
      case 'recall':
        this.#recalled(notice.target);
        return undefined;
      case 'gone':
        this.#siblings?.forget(nowMs, notice.from);
        this.#lanes?.targetsChanged();
        return undefined;
      case 'told':
        return this.#learn(notice.from, notice.what, nowMs);
    }
  }

  #learn(from: number, what: Shared, nowMs: number): string | undefined {
    switch (what.kind) {
      case 'start':
        this.#siblings?.start(from, what.id, what.run, nowMs);
        return undefined;
      case 'end':
        return this.#siblings?.end(from, what.id, nowMs);
      case 'cost':
        this.#costs?.observe(what.shapeClass, what.podClass, what.rows, what.runMs);
        return undefined;
      case 'bypass':
        this.#lanes?.spendBypass(what.model, what.version, what.spentMs);
        return undefined;
    }
  }

  #granted(target: string): string | undefined {
    const slot = this.#slots.get(target);
    if (slot === undefined) {
      this.#outbox.push({ kind: 'back', target });
      return undefined;
    }
    slot.asked = false;
    slot.held += 1;
    return slot.model;
  }

  /** What is in use comes back when its run ends; what something waits for, when it was used or its moment has passed. */
  #recalled(target: string): void {
    const slot = this.#slots.get(target);
    if (slot === undefined || slot.held === 0) return;
    slot.recalled = true;
    if (slot.held === slot.inUse) return;
    if (slot.waiting().queuedRequests === 0) return this.#giveBack(target, slot);
    const leftMs = Math.min(slot.freeAtMs - this.#clock.nowMs(), longestGraceMs);
    this.#clock.setTimer(
      () => {
        if (slot.recalled && slot.held > slot.inUse) this.#giveBack(target, slot);
      },
      Math.max(leftMs, 0) + graceMs,
    );
  }

  /** With what waits here named in the same breath: it may be what has waited longest. */
  #giveBack(target: string, slot: Slot): void {
    slot.held -= 1;
    slot.recalled = false;
    this.#outbox.push({ kind: 'back', target });
    const waiting = slot.waiting();
    if (!slot.asked && waiting.queuedRequests > 0) this.#ask(target, slot, waiting);
  }

  #ask(target: string, slot: Slot, { oldestMs }: Waiting): void {
    slot.asked = true;
    this.#outbox.push({ kind: 'want', target, ageMs: oldestMs });
  }

  #newSlot(target: string, model: string, waiting: () => Waiting): Slot {
    const slot = { model, waiting, held: 0, inUse: 0, own: 0, asked: false, recalled: false, freeAtMs: 0, seenAtMs: 0 };
    this.#slots.set(target, slot);
    return slot;
  }

  #tell(what: Shared): void {
    if (!this.#silent) this.#outbox.push(what);
  }

  /** Both sides begin anew: what either said meanwhile may be lost. */
  #resync(epoch: number): void {
    this.#epoch = epoch;
    this.#silent = false;
    this.#outbox.clear();
    this.#siblings?.forget(this.#clock.nowMs());
    for (const slot of this.#slots.values()) Object.assign(slot, { held: 0, inUse: 0, asked: false, recalled: false });
    this.#outbox.push({ kind: 'resync' });
    for (const [run, own] of this.#own) {
      own.permit = false;
      this.#outbox.push(startOf(own.id, run));
    }
    this.#lanes?.targetsChanged();
  }

  #beat(): void {
    this.#send({ kind: 'beat' });
    const sentAtMs = this.#clock.nowMs();
    this.#timer = this.#clock.setTimer(() => {
      // A timer that is late was held up here, and what the primary said meanwhile has not been read yet.
      const late = this.#clock.nowMs() - sentAtMs > 2 * beatMs;
      if (!late && !this.#silent && this.#clock.nowMs() - this.#heardAtMs > silentMs) this.#fallBack();
      this.#sweep();
      this.#beat();
    }, beatMs);
  }

  #fallBack(): void {
    this.#silent = true;
    this.#outbox.clear();
    this.#siblings?.forget(this.#clock.nowMs());
    this.#lanes?.targetsChanged();
  }

  #sweep(): void {
    const nowMs = this.#clock.nowMs();
    for (const [target, slot] of this.#slots) {
      if (slot.own > 0 || slot.asked || nowMs - slot.seenAtMs < unusedMs) continue;
      for (; slot.held > 0; slot.held -= 1) this.#outbox.push({ kind: 'back', target });
      this.#slots.delete(target);
    }
  }
}

function startOf(id: number, { targetId, backend, model, predictedMs }: SlotRun): Shared {
  return { kind: 'start', id, run: { targetId, backend, model, predictedMs } };
}

/** Busy as far as decisions go. */
function shut<T extends SlotLoad>(target: T): T {
  return { ...target, capacity: Math.min(target.capacity, target.outstanding), freeInMs: target.freeInMs + handOverMs };
}
