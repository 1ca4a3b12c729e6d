import type { BatchRunner, CostBook, Defer, LaneStats } from '@headrace/batching';
import type { Clock, Refusal } from '@headrace/runtime';
import type { BackendView } from '../domain/backend-view.js';
import type { ModelPolicy } from '../domain/gateway-table.js';
import type { SlotTurns } from '../domain/slot-turns.js';
import type { Job } from './job.js';
import { ModelLane } from './model-lane.js';

export interface LaneRegistryOptions<J extends Job> {
  readonly clock: Clock;
  readonly costs: CostBook;
  /** Absent: the batcher decides within the call that changed something. */
  readonly defer?: Defer;
  readonly policy: (model: string) => ModelPolicy;
  readonly backends: () => readonly BackendView[];
  /** What runs the lane's batches. `lane` is set by the time that any of its functions is called. */
  readonly runner: (lane: () => ModelLane<J>, model: string, version: string) => BatchRunner<J>;
  readonly turns?: SlotTurns | undefined;
}

/** One ModelLane per model and requested version that is served: as many as backends offer, not as clients invent. */
export class LaneRegistry<J extends Job> {
  readonly #options: LaneRegistryOptions<J>;
  readonly #lanes = new Map<string, ModelLane<J>>();
  /** What was asked for last: mostly the same again, and no key need be put together and hashed for it (0.1 us). */
  #last: ModelLane<J> | undefined;

  constructor(options: LaneRegistryOptions<J>) {
    this.#options = options;
    options.turns?.attachLanes(this);
  }

  /** To be asked only for what a backend serves. */
  of(model: string, version: string): ModelLane<J> {
    const last = this.#last;
    if (last !== undefined && last.model === model && last.version === version) return last;
    const key = keyOf(model, version);
    const known = this.#lanes.get(key);
    if (known !== undefined) return (this.#last = known);
    const { clock, costs, defer, policy, backends, turns } = this.#options;
    const alone = this.#options.runner(() => lane, model, version);
    const waiting = (): LaneStats => lane.batcher.stats();
    const runner = turns === undefined ? alone : { ...alone, targets: () => turns.gate(model, alone.targets(), waiting) };
    const onBypass = turns && ((spentMs: number): void => turns.bypassSpent(model, version, spentMs));
    const lane: ModelLane<J> = new ModelLane(
      { model, version, clock, costs, ...(defer === undefined ? {} : { defer }), runner, onBypass },
      backends(),
      policy(model),
    );
    this.#lanes.set(key, lane);
    return lane;
  }

  /** A lane of the model: the one that leaves the version open, else any. */
  latest(model: string): ModelLane<J> | undefined {
    const open = this.#lanes.get(keyOf(model, ''));
    if (open !== undefined) return open;
    for (const lane of this.#lanes.values()) if (lane.model === model) return lane;
    return undefined;
  }

  /** Backends or the table changed. Lanes for which `gone` holds are dropped, the others read their limits anew. */
  refresh(gone: (lane: ModelLane<J>) => boolean): void {
    const { policy, backends } = this.#options;
    this.#last = undefined;
    for (const [key, lane] of this.#lanes) {
      if (gone(lane)) this.#lanes.delete(key);
      else lane.refresh(backends(), policy(lane.model));
    }
  }

  targetsChanged(): void {
    for (const lane of this.#lanes.values()) lane.batcher.targetsChanged();
  }

  /** What lanes of the model may do has changed. */
  turnsChanged(model: string): void {
    for (const lane of this.#lanes.values()) if (lane.model === model) lane.batcher.targetsChanged();
  }

  /** A sibling's bypass took this out of the share of all. A lane that nobody asked for here has no share to keep yet. */
  spendBypass(model: string, version: string, spentMs: number): void {
    this.#lanes.get(keyOf(model, version))?.batcher.spendBypass(spentMs);
  }

  /** Instances of a model are shared by the lanes of its versions: a run of one that ends may be another's turn. */
  slotFreed(by: ModelLane<J>): void {
    if (this.#lanes.size < 2) return;
    for (const lane of this.#lanes.values()) if (lane !== by && lane.model === by.model) lane.batcher.targetsChanged();
  }

  /** Of all models, or of one. */
  queuedRows(model?: string): number {
    let rows = 0;
    for (const lane of this.#lanes.values()) if (model === undefined || lane.model === model) rows += lane.batcher.queuedRows;
    return rows;
  }

  models(): readonly string[] {
    return [...new Set([...this.#lanes.values()].map(({ model }) => model))];
  }

  close(refusal: Refusal): void {
    for (const lane of this.#lanes.values()) lane.batcher.close(refusal);
  }
}

function keyOf(model: string, version: string): string {
  return `${model}\u0000${version}`;
}
