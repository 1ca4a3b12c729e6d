import type { Target } from './target.js';

/** What of a slot decides whether a run may start on it now. */
export type SlotLoad = Pick<Target, 'id' | 'outstanding' | 'capacity' | 'freeInMs'>;

/** A run on an instance slot, from its hand-over to its end. */
export interface SlotRun {
  readonly targetId: string;
  readonly backend: string;
  readonly model: string;
  readonly predictedMs: number;
  /** When it was handed over. */
  readonly startedMs: number;
}

/** Where runs of siblings are entered beside the own ones. */
export interface RunBook<R extends SlotRun> {
  enter(run: SlotRun): R;
  leave(run: R, nowMs: number): void;
}

export interface RunWatch {
  attachRuns<R extends SlotRun>(book: RunBook<R>): void;
  started(run: SlotRun): void;
  ended(run: SlotRun): void;
}

/** What waits, from which follows whether a turn is wanted and how long for. */
export interface Waiting {
  readonly queuedRequests: number;
  /** Age of the oldest. */
  readonly oldestMs: number;
}

/** The lanes, as far as what siblings do changes what they may do. */
export interface LaneBook {
  turnsChanged(model: string): void;
  targetsChanged(): void;
  spendBypass(model: string, version: string, spentMs: number): void;
}

/**
 * Several gateway processes that serve the same slots take turns on them, so that together they hand over no more than one
 * would. A gateway alone has none of this.
 */
export interface SlotTurns extends RunWatch {
  attachLanes(lanes: LaneBook): void;
  /** The model's slots, those shut where it is not this gateway's turn. Asks for turns while something waits. */
  gate<T extends SlotLoad>(model: string, targets: readonly T[], waiting: () => Waiting): readonly T[];
  bypassSpent(model: string, version: string, spentMs: number): void;
}
