import type { QueuedRun } from '@headrace/batching';
import { OpenSet } from '../domain/open-set.js';
import type { OpenItem } from '../domain/open-set.js';
import type { RunWatch, SlotRun } from '../domain/slot-turns.js';
import { SlotQueue } from './slot-queue.js';

/** Outstanding work by instance slot (backend, model, i), the "expected completion" half of the router's score. */
export interface Run extends QueuedRun, SlotRun, OpenItem {
  /** What the slot still had before it when it was handed over, plus its own prediction; 0 without a prediction. */
  readonly expectedMs: number;
  readonly slot: SlotQueue;
}

/** What one backend holds. */
class Held {
  readonly runs = new OpenSet<Run>();
  /** Slots with a run, by model. */
  readonly busySlots = new Map<string, number>();
  busy = 0;

  count(model: string, change: 1 | -1): void {
    this.busy += change;
    const slots = (this.busySlots.get(model) ?? 0) + change;
    if (slots === 0) this.busySlots.delete(model);
    else this.busySlots.set(model, slots);
  }
}

export class Ledger {
  /** Those that hold a run. */
  readonly #slots = new Map<string, SlotQueue>();
  readonly #backends = new Map<string, Held>();
  readonly #watch: RunWatch | undefined;

  /** `watch` hears of the runs that start here, not of those that siblings told of. */
  constructor(watch?: RunWatch) {
    this.#watch = watch;
    watch?.attachRuns(this);
  }

  start(run: SlotRun): Run {
    const entry = this.enter(run);
    this.#watch?.started(entry);
    return entry;
  }

  /** A run that a sibling handed over: it is in the way as much as an own one. */
  enter({ targetId, backend, model, predictedMs, startedMs }: SlotRun): Run {
    let held = this.#backends.get(backend);
    if (held === undefined) this.#backends.set(backend, (held = new Held()));
    let slot = this.#slots.get(targetId);
    if (slot === undefined) {
      this.#slots.set(targetId, (slot = new SlotQueue()));
      held.count(model, 1);
    }
    const expectedMs = predictedMs <= 0 ? 0 : slot.freeInMs(startedMs) + predictedMs;
    const run: Run = { targetId, backend, model, predictedMs, startedMs, expectedMs, beganMs: startedMs, openAt: -1, slot };
    slot.add(run);
    held.runs.add(run);
    return run;
  }

  finish(run: Run, nowMs: number): void {
    this.leave(run, nowMs);
    this.#watch?.ended(run);
  }

  /** The end of a run that was entered. */
  leave(run: Run, nowMs: number): void {
    const held = this.#backends.get(run.backend);
    if (held === undefined || run.openAt < 0) return;
    run.slot.remove(run, nowMs);
    held.runs.delete(run);
    if (run.slot.count > 0) return;
    this.#slots.delete(run.targetId);
    held.count(run.model, -1);
  }

  outstanding(targetId: string): number {
    return this.#slots.get(targetId)?.count ?? 0;
  }

  /** Predicted milliseconds until the slot has done all it holds. */
  freeInMs(targetId: string, nowMs: number): number {
    return this.#slots.get(targetId)?.freeInMs(nowMs) ?? 0;
  }

  runsOf(backend: string): readonly Run[] {
    return this.#backends.get(backend)?.runs.all() ?? [];
  }

  /** Slots of other models on the backend that are busy now: they share its processors. */
  busySlotsOfOthers(backend: string, model: string): number {
    const held = this.#backends.get(backend);
    return held === undefined ? 0 : held.busy - (held.busySlots.get(model) ?? 0);
  }

  /** What is kept of backends that left the table; those that still run something are kept until they end. */
  keep(backends: ReadonlySet<string>): void {
    for (const [name, held] of this.#backends) if (!backends.has(name) && held.busy === 0) this.#backends.delete(name);
  }
}
