import type { Clock } from '@headrace/runtime';
import type { Channel } from '@headrace/wire';
import type { BackendModel, BackendView } from '../domain/backend-view.js';
import { MemoryChannel } from './memory-channel.js';
import { randomStream } from './random.js';
import { SimulatedEngine } from './simulated-engine.js';
import type { RunCost, RunsByRows } from './simulated-engine.js';

export interface SimulatedModel {
  readonly name: string;
  /** max_batch_size; 0: runs are never shared. */
  readonly maxBatchRows: number;
  /** Multiplies the run times of the backends. */
  readonly costFactor: number;
}

export interface SimulatedBackend {
  readonly name: string;
  readonly podClass: string;
  /** Runs of one model at once. */
  readonly instances: number;
  readonly cost: RunCost;
  /** Times in which it is `factor` times as slow. */
  readonly slow: readonly { readonly fromMs: number; readonly untilMs: number; readonly factor: number }[];
  /** Times in which it is gone; Infinity: for good. */
  readonly lost: readonly { readonly fromMs: number; readonly untilMs: number }[];
}

export interface BackendSummary {
  readonly name: string;
  readonly runs: number;
  readonly rows: number;
  /** Of all its instances together. */
  readonly busyMs: number;
  readonly instances: number;
  readonly byRows: RunsByRows;
}

interface Member {
  readonly spec: SimulatedBackend;
  readonly engine: SimulatedEngine;
  readonly channel: MemoryChannel;
  view: BackendView;
}

/** The backends of a simulation: what happens to them, and how the gateway sees them. Discovery hears of a loss at once. */
export class SimulatedFleet {
  readonly #members = new Map<string, Member>();
  readonly #clock: Clock;
  #lives = 0;
  #changed: (views: readonly BackendView[]) => void = () => undefined;

  constructor(clock: Clock, seed: number, backends: readonly SimulatedBackend[], models: readonly SimulatedModel[]) {
    this.#clock = clock;
    const described = new Map(models.map((model) => [model.name, model]));
    backends.forEach((spec, index) => {
      const engine = new SimulatedEngine(clock, randomStream(seed, 1000 + index), spec.cost, models, spec.instances);
      const views = [...described.values()].map((model): [string, BackendModel] => [model.name, describe(model, spec.instances)]);
      this.#members.set(spec.name, {
        spec,
        engine,
        channel: new MemoryChannel(engine, clock),
        view: {
          name: spec.name,
          podClass: spec.podClass,
          state: 'ready',
          life: ++this.#lives,
          // Long ago: past its slow start.
          readySinceMs: -1e9,
          instances: undefined,
          models: new Map(views),
        },
      });
    });
  }

  /** Publishes the backends now and at each change; call it once. */
  start(changed: (views: readonly BackendView[]) => void): void {
    this.#changed = changed;
    for (const member of this.#members.values()) {
      for (const { fromMs, untilMs, factor } of member.spec.slow) {
        this.#at(fromMs, () => (member.engine.slowness *= factor));
        this.#at(untilMs, () => (member.engine.slowness /= factor));
      }
      for (const { fromMs, untilMs } of member.spec.lost) {
        this.#at(fromMs, () => this.#lose(member));
        this.#at(untilMs, () => this.#restore(member));
      }
    }
    this.#publish();
  }

  channel(name: string): Channel | undefined {
    return this.#members.get(name)?.channel;
  }

  summaries(): readonly BackendSummary[] {
    return [...this.#members.values()].map(({ spec, engine }) => ({
      name: spec.name,
      runs: engine.runs,
      rows: engine.rows,
      busyMs: engine.busyMs,
      instances: spec.instances,
      byRows: engine.byRows,
    }));
  }

  #at(atMs: number, then: () => void): void {
    if (atMs < Infinity) this.#clock.setTimer(then, atMs - this.#clock.nowMs());
  }

  #lose(member: Member): void {
    member.engine.die();
    member.view = { ...member.view, state: 'lost' };
    // The gateway learns that it is gone before the calls fail, so that none is sent there again.
    this.#publish();
    member.channel.cut();
  }

  /** It is back as a new process: slow start, nothing learnt. */
  #restore(member: Member): void {
    member.channel.connect();
    member.view = { ...member.view, state: 'ready', life: ++this.#lives, readySinceMs: this.#clock.nowMs() };
    this.#publish();
  }

  #publish(): void {
    this.#changed([...this.#members.values()].map(({ view }) => view));
  }
}

function describe(model: SimulatedModel, instances: number): BackendModel {
  return {
    name: model.name,
    readyVersions: ['1'],
    unready: new Map(),
    signature: { inputs: [{ name: 'x', datatype: 'INT8', shape: [-1, 1], optional: false }], outputs: ['y'] },
    maxBatchRows: model.maxBatchRows,
    instances,
  };
}

/**
 * Rows per second that the fleet can run at best: full batches on every instance, nothing lost, nothing slow. With several
 * models, of the first alone.
 */
export function capacityRowsPerSecond(backends: readonly SimulatedBackend[], model: SimulatedModel, maxBatchRows: number): number {
  const rows = Math.max(1, maxBatchRows);
  return backends.reduce((sum, { cost, instances }) => {
    const runMs = (cost.overheadMs + cost.perRowMs * rows) * model.costFactor;
    return sum + (instances * rows * 1000) / runMs;
  }, 0);
}
