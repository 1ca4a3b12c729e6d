import type { Refusal } from '@headrace/runtime';
import { FakeClock } from '@headrace/runtime/testing';
import { Batcher } from '../batcher.js';
import { createCostBook } from '../cost/cost-book.js';
import { remainingMs } from '../decide/remaining.js';
import type { Batch, BatchLimits, BatchRunner, CostBook, TargetSnapshot } from '../types.js';
import { jitter, seededRandom } from './random.js';
import type { SimRequest } from './request.js';
import { makeLimits, makeRequest } from './request.js';

/** An executor with a true cost that the batcher has to find out. */
export interface SimTarget {
  readonly id: string;
  readonly podClass: string;
  readonly overheadMs: number;
  readonly perRowMs: number;
  /** Relative scatter of run times; default 0. */
  readonly noise?: number;
  /** Default 2: one running, one staged. */
  readonly capacity?: number;
  /** Default 0. */
  readonly networkMs?: number;
}

export interface SimOptions {
  readonly targets: readonly SimTarget[];
  readonly limits?: Partial<BatchLimits>;
  readonly seed?: number;
  readonly costs?: CostBook;
  /** Whether a run fails; it takes its time all the same. */
  readonly fails?: (batch: Batch<SimRequest>) => boolean;
  /** A run that ends at once, inside run(), as a lost connection does. */
  readonly failsAtOnce?: (batch: Batch<SimRequest>) => boolean;
}

/** What became of a request. */
export interface Outcome {
  runs: number;
  readonly submittedMs: number;
  startedMs: number | undefined;
  finishedMs: number | undefined;
  targetId: string | undefined;
  dropped: Refusal | undefined;
  refused: Refusal | undefined;
}

interface Held {
  readonly batch: Batch<SimRequest>;
  startedMs: number | undefined;
}

/** One run as it happened. */
export interface SimRun {
  readonly targetId: string;
  readonly podClass: string;
  readonly rows: number;
  readonly startedMs: number;
  readonly bypass: boolean;
  readonly runMs: number;
}

/** A Batcher over simulated targets on a fake clock: discrete events, no waiting, repeatable by seed. */
export class Simulation implements BatchRunner<SimRequest> {
  readonly clock = new FakeClock(0);
  readonly costs: CostBook;
  readonly batcher: Batcher<SimRequest>;
  readonly random: () => number;
  readonly outcomes = new Map<SimRequest, Outcome>();
  readonly runs: SimRun[] = [];
  /** Called with each request that ended well. */
  onDone: (request: SimRequest) => void = () => undefined;
  /** Called before each run is taken, with the targets as they were when it was decided. */
  onRun: (batch: Batch<SimRequest>, targets: readonly TargetSnapshot[]) => void = () => undefined;
  readonly #options: SimOptions;
  #targets: SimTarget[];
  /** Multiplies all true run times from now on. */
  slowdown = 1;
  readonly #held = new Map<string, Held[]>();
  #names = 0;

  constructor(options: SimOptions) {
    this.#options = options;
    this.#targets = [...options.targets];
    this.random = seededRandom(options.seed ?? 1);
    this.costs = options.costs ?? createCostBook();
    this.batcher = new Batcher<SimRequest>({ clock: this.clock, runner: this, costs: this.costs, limits: makeLimits(options.limits) });
  }

  /** Lets the cost model see every target at several sizes, as some time of mixed load would. */
  learn(sizes: readonly number[] = [1, 2, 4, 8, 16, 32], times = 4, shapeClass = 'model'): this {
    for (const target of this.#targets) {
      for (let round = 0; round < times; round++) {
        for (const rows of sizes) this.costs.observe(shapeClass, target.podClass, rows, target.overheadMs + target.perRowMs * rows);
      }
    }
    return this;
  }

  submit(overrides: Partial<SimRequest> = {}): SimRequest {
    const request = makeRequest({ name: `r${this.#names++}`, arrivedMs: this.clock.nowMs(), ...overrides });
    this.outcomes.set(request, {
      runs: 0,
      submittedMs: this.clock.nowMs(),
      startedMs: undefined,
      finishedMs: undefined,
      targetId: undefined,
      dropped: undefined,
      refused: undefined,
    });
    this.outcome(request).refused = this.batcher.submit(request);
    return request;
  }

  outcome(request: SimRequest): Outcome {
    const outcome = this.outcomes.get(request);
    if (outcome === undefined) throw new Error(`the simulation does not know ${request.name}`);
    return outcome;
  }

  latencyMs(request: SimRequest): number {
    const { finishedMs, submittedMs } = this.outcome(request);
    return finishedMs === undefined ? Infinity : finishedMs - submittedMs;
  }

  /** Targets that are gone still end what they hold. */
  setTargets(targets: readonly SimTarget[]): void {
    this.#targets = [...targets];
    this.batcher.targetsChanged();
  }

  targets(): readonly TargetSnapshot[] {
    return this.#targets.map((target) => {
      const held = this.#held.get(target.id) ?? [];
      const freeInMs = held.reduce(
        (sum, { batch, startedMs }) =>
          sum + (startedMs === undefined ? batch.predictedMs : remainingMs(batch.predictedMs, this.clock.nowMs() - startedMs)),
        0,
      );
      const { id, podClass, capacity = 2, networkMs = 0 } = target;
      return { id, podClass, outstanding: held.length, capacity, freeInMs, penalty: 1, networkMs };
    });
  }

  run(batch: Batch<SimRequest>): void {
    this.onRun(batch, this.targets());
    for (const member of batch.members) this.outcome(member).runs += 1;
    if (this.#options.failsAtOnce?.(batch) === true) {
      this.batcher.finished(batch, { runMs: undefined, ranRows: batch.rows });
      return;
    }
    const held = this.#held.get(batch.targetId) ?? [];
    this.#held.set(batch.targetId, held);
    held.push({ batch, startedMs: undefined });
    this.#startNext(batch.targetId);
  }

  drop(request: SimRequest, refusal: Refusal): void {
    this.outcome(request).dropped = refusal;
  }

  #startNext(targetId: string): void {
    const held = this.#held.get(targetId);
    const [next] = held ?? [];
    if (held === undefined || next === undefined || next.startedMs !== undefined) return;
    const target = this.#targets.find(({ id }) => id === targetId) ?? this.#options.targets.find(({ id }) => id === targetId);
    if (target === undefined) throw new Error(`the simulation has no target ${targetId}`);
    const { batch } = next;
    const nowMs = this.clock.nowMs();
    next.startedMs = nowMs;
    const runMs = (target.overheadMs + target.perRowMs * batch.rows) * this.slowdown * jitter(this.random, target.noise ?? 0);
    this.runs.push({
      targetId,
      podClass: target.podClass,
      rows: batch.rows,
      startedMs: nowMs,
      bypass: batch.members.some(({ bypass }) => bypass),
      runMs,
    });
    for (const member of batch.members) {
      this.outcome(member).startedMs = nowMs;
      this.outcome(member).targetId = targetId;
    }
    this.clock.setTimer(() => {
      held.shift();
      const failed = this.#options.fails?.(batch) === true;
      // The executor goes on at once with what is staged; the answer comes back meanwhile.
      this.#startNext(targetId);
      this.batcher.finished(batch, { runMs: failed ? undefined : runMs, ranRows: batch.rows });
      if (failed) return;
      for (const member of batch.members) {
        this.outcome(member).finishedMs = this.clock.nowMs();
        this.onDone(member);
      }
    }, runMs);
  }
}
