import { reportParameter, scanInferRequest, writeInferResponse } from '@headrace/proto';
import { statusCode } from '@headrace/runtime';
import type { Clock, Timer } from '@headrace/runtime';
import type { EngineAnswer, InferEngine } from './memory-channel.js';
import { scatter } from './random.js';
import type { Random } from './random.js';

/** Run time of b rows: (overheadMs + perRowMs x b) x slowness now x scatter. */
export interface RunCost {
  readonly overheadMs: number;
  readonly perRowMs: number;
  /** Relative standard deviation, 0 for none. */
  readonly scatter: number;
  /** Ways to the backend and back, ms in all. */
  readonly networkMs: number;
}

export interface EngineModel {
  readonly name: string;
  readonly maxBatchRows: number;
  /** Multiplies the backend's run times. */
  readonly costFactor: number;
}

interface Run {
  readonly model: EngineModel;
  readonly rows: number;
  readonly answer: (answer: EngineAnswer) => void;
  /** At the server, behind the network. */
  arrivedMs: number;
  startedMs: number;
  over: boolean;
}

interface Queue {
  readonly waiting: Run[];
  running: number;
}

/** Runs by rows: at powers of two, e.g. 3 counts for 4. */
export type RunsByRows = ReadonlyMap<number, number>;

/** An inference server without models: instances of each model that are busy for as long as the cost says. */
export class SimulatedEngine implements InferEngine {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #cost: RunCost;
  readonly #models: ReadonlyMap<string, EngineModel>;
  readonly #instances: number;
  readonly #queues = new Map<string, Queue>();
  readonly #byRows = new Map<number, number>();
  /** Multiplies all run times that begin from now on. */
  slowness = 1;
  runs = 0;
  rows = 0;
  /** Of all instances together. */
  busyMs = 0;
  /** Counts the lives of the process: what a dead one ran never ends. */
  #life = 0;

  constructor(clock: Clock, random: Random, cost: RunCost, models: readonly EngineModel[], instances: number) {
    this.#clock = clock;
    this.#random = random;
    this.#cost = cost;
    this.#models = new Map(models.map((model) => [model.name, model]));
    this.#instances = instances;
  }

  get byRows(): RunsByRows {
    return this.#byRows;
  }

  infer(message: Buffer, answer: (answer: EngineAnswer) => void): () => void {
    const scanned = scanInferRequest(message);
    const model = scanned.ok ? this.#models.get(scanned.view.modelName) : undefined;
    const rows = scanned.ok ? (scanned.view.inputs[0]?.shape[0] ?? 1) : 1;
    if (model === undefined || (model.maxBatchRows > 0 && rows > model.maxBatchRows)) {
      const problem = model === undefined ? 'unknown model' : `expected at most ${model.maxBatchRows} rows, got ${rows}`;
      const code = model === undefined ? statusCode.NOT_FOUND : statusCode.INVALID_ARGUMENT;
      const timer = this.#clock.setTimer(() => answer({ ok: false, code, message: problem }), 0);
      return () => timer.cancel();
    }
    const run: Run = { model, rows, answer, arrivedMs: 0, startedMs: 0, over: false };
    const life = this.#life;
    const timer = this.#after(this.#cost.networkMs / 2, () => {
      if (life === this.#life && !run.over) this.#enter(run);
    });
    return () => {
      timer?.cancel();
      this.#cancel(run);
    };
  }

  /** The process dies: what it held is gone. Those who wait hear of it from their connection. */
  die(): void {
    this.#life += 1;
    this.#queues.clear();
  }

  #after(delayMs: number, then: () => void): Timer | undefined {
    if (delayMs > 0) return this.#clock.setTimer(then, delayMs);
    then();
    return undefined;
  }

  #enter(run: Run): void {
    const queue = this.#queues.get(run.model.name) ?? { waiting: [], running: 0 };
    this.#queues.set(run.model.name, queue);
    run.arrivedMs = this.#clock.nowMs();
    queue.waiting.push(run);
    this.#startNext(queue);
  }

  #startNext(queue: Queue): void {
    while (queue.running < this.#instances) {
      const run = queue.waiting.shift();
      if (run === undefined) return;
      this.#start(queue, run);
    }
  }

  #start(queue: Queue, run: Run): void {
    const { overheadMs, perRowMs } = this.#cost;
    const runMs = (overheadMs + perRowMs * run.rows) * run.model.costFactor * this.slowness * scatter(this.#random, this.#cost.scatter);
    const life = this.#life;
    run.startedMs = this.#clock.nowMs();
    queue.running += 1;
    this.runs += 1;
    this.rows += run.rows;
    const bucket = 2 ** Math.ceil(Math.log2(run.rows));
    this.#byRows.set(bucket, (this.#byRows.get(bucket) ?? 0) + 1);
    this.#clock.setTimer(() => {
      // A dead process was busy until it died; half of the run on average.
      this.busyMs += life === this.#life ? runMs : runMs / 2;
      if (life !== this.#life) return;
      queue.running -= 1;
      if (!run.over) this.#reply(run, runMs);
      this.#startNext(queue);
    }, runMs);
  }

  #reply(run: Run, runMs: number): void {
    run.over = true;
    const us = (ms: number): bigint => BigInt(Math.max(0, Math.round(ms * 1000)));
    const message = writeInferResponse({
      modelName: run.model.name,
      modelVersion: '1',
      id: '',
      parameters: new Map([
        [reportParameter.runUs, us(runMs)],
        [reportParameter.runRows, BigInt(run.rows)],
        [reportParameter.queueUs, us(run.startedMs - run.arrivedMs)],
      ]),
      outputs: [{ name: 'y', datatype: 'INT8', shape: [run.rows, 1], data: [zeros(run.rows)] }],
    });
    const life = this.#life;
    this.#after(this.#cost.networkMs / 2, () => {
      if (life === this.#life) run.answer({ ok: true, message });
    });
  }

  /** A run under way keeps its instance busy, as a real one would. */
  #cancel(run: Run): void {
    if (run.over) return;
    run.over = true;
    const queue = this.#queues.get(run.model.name);
    const at = queue?.waiting.indexOf(run) ?? -1;
    if (at >= 0) queue?.waiting.splice(at, 1);
  }
}

let zeroBytes = Buffer.alloc(4096);

/** Of a simulation nobody reads the values. */
export function zeros(bytes: number): Buffer {
  if (zeroBytes.length < bytes) zeroBytes = Buffer.alloc(2 ** Math.ceil(Math.log2(bytes)));
  return zeroBytes.subarray(0, bytes);
}
