import { isDatatype, reportParameter, scanInferRequest, writeInferResponse } from '@headrace/proto';
import type { InferRequestView, TensorToWrite } from '@headrace/proto';
import { statusCode } from '@headrace/runtime';
import type { Clock, StatusCode, Timer } from '@headrace/runtime';
import type { EngineAnswer, InferEngine } from '../simulation/memory-channel.js';

/** A model that answers each input tensor with an equal output tensor ("x" -> "x_out") after t(b) = a + k b. */
export interface StandInModel {
  readonly name: string;
  /** Default ["1"]. */
  readonly versions?: readonly string[];
  /** max_batch_size; default 32, 0 for a model without batching. */
  readonly maxBatchRows?: number;
  readonly overheadMs?: number;
  readonly perRowMs?: number;
  /** Runs at once; default 1. */
  readonly instances?: number;
  /** Default one input: x INT64 [-1, 1]. */
  readonly inputs?: readonly { readonly name: string; readonly datatype: string; readonly shape: readonly number[] }[];
  /** A message that holds these bytes in an input fails its run with this code; e.g. one bad row. */
  readonly poison?: { readonly bytes: Buffer; readonly code: StatusCode };
  /** Answers outputs whose first dimension is 1, whatever came in: what a wrongly declared model does. */
  readonly ignoresRows?: boolean;
}

export interface StandInRun {
  readonly model: string;
  readonly rows: number;
  readonly startedMs: number;
  /** As the request had them. */
  readonly bytes: Buffer;
}

export type StandInAnswer = EngineAnswer;

interface Waiting {
  readonly view: InferRequestView;
  readonly model: StandInModel;
  readonly rows: number;
  readonly arrivedMs: number;
  readonly answer: (answer: StandInAnswer) => void;
  over: boolean;
  timer: Timer | undefined;
}

/** A model server without models: queues per model, instances that are busy for as long as the formula says. */
export class StandInEngine implements InferEngine {
  readonly models: ReadonlyMap<string, StandInModel>;
  readonly runs: StandInRun[] = [];
  /** Requests cancelled by the caller, waiting or running. */
  cancelled = 0;
  /** Requests taken in, whatever became of them. */
  received = 0;
  /** Multiplies all run times. */
  slowness = 1;
  /** While true nothing ends. */
  hanging = false;
  /** The next requests fail with these, one each. */
  readonly failures: { code: StatusCode; message: string }[] = [];
  /** False: answers carry no run times, as of a foreign server. */
  reportsRuns = true;
  readonly #clock: Clock;
  readonly #queues = new Map<string, Waiting[]>();
  readonly #running = new Map<string, Set<Waiting>>();

  constructor(clock: Clock, models: readonly StandInModel[]) {
    this.#clock = clock;
    this.models = new Map(models.map((model) => [model.name, model]));
  }

  /** The message is copied. `answer` is never called synchronously, and not after the returned cancel. */
  infer(borrowed: Buffer, answer: (answer: StandInAnswer) => void): () => void {
    this.received += 1;
    const fail = (code: StatusCode, message: string): (() => void) => {
      const timer = this.#clock.setTimer(() => answer({ ok: false, code, message }), 0);
      return () => timer.cancel();
    };
    const planned = this.failures.shift();
    if (planned !== undefined) return fail(planned.code, planned.message);
    const scanned = scanInferRequest(Buffer.from(borrowed));
    if (!scanned.ok) return fail(statusCode.INVALID_ARGUMENT, scanned.message);
    const model = this.models.get(scanned.view.modelName);
    if (model === undefined) return fail(statusCode.NOT_FOUND, `unknown model ${scanned.view.modelName}`);
    const rows = scanned.view.inputs[0]?.shape[0] ?? 1;
    const limit = model.maxBatchRows ?? 32;
    if (limit > 0 && rows > limit) return fail(statusCode.INVALID_ARGUMENT, `expected at most ${limit} rows, got ${rows}`);
    const waiting: Waiting = { view: scanned.view, model, rows, arrivedMs: this.#clock.nowMs(), answer, over: false, timer: undefined };
    const queue = this.#queues.get(model.name) ?? [];
    queue.push(waiting);
    this.#queues.set(model.name, queue);
    this.#startNext(model);
    return () => this.#cancel(waiting);
  }

  #startNext(model: StandInModel): void {
    const running = this.#running.get(model.name) ?? new Set<Waiting>();
    this.#running.set(model.name, running);
    const queue = this.#queues.get(model.name) ?? [];
    while (running.size < (model.instances ?? 1)) {
      const next = queue.shift();
      if (next === undefined) return;
      running.add(next);
      const startedMs = this.#clock.nowMs();
      this.runs.push({ model: model.name, rows: next.rows, startedMs, bytes: next.view.bytes });
      this.#endAfter(next, startedMs, ((model.overheadMs ?? 0) + (model.perRowMs ?? 0) * next.rows) * this.slowness, running);
    }
  }

  #endAfter(waiting: Waiting, startedMs: number, delayMs: number, running: Set<Waiting>): void {
    waiting.timer = this.#clock.setTimer(() => {
      if (this.hanging) return this.#endAfter(waiting, startedMs, 10, running);
      running.delete(waiting);
      if (!waiting.over) {
        waiting.over = true;
        waiting.answer(this.#answerOf(waiting, startedMs));
      }
      this.#startNext(waiting.model);
    }, delayMs);
  }

  /** A run under way keeps its instance busy, as a real one would. */
  #cancel(waiting: Waiting): void {
    if (waiting.over) return;
    waiting.over = true;
    this.cancelled += 1;
    const queue = this.#queues.get(waiting.model.name) ?? [];
    const at = queue.indexOf(waiting);
    if (at >= 0) queue.splice(at, 1);
  }

  #answerOf(waiting: Waiting, startedMs: number): StandInAnswer {
    const { view, model, rows } = waiting;
    const poisoned =
      model.poison !== undefined &&
      view.inputs.some(({ raw }) => raw !== undefined && view.bytes.subarray(raw.start, raw.end).includes(model.poison?.bytes ?? ''));
    if (poisoned) return { ok: false, code: model.poison.code, message: 'poisoned row' };
    const outputs: TensorToWrite[] = [];
    for (const { name, datatype, shape, raw } of view.inputs) {
      if (!isDatatype(datatype) || raw === undefined)
        return { ok: false, code: statusCode.INVALID_ARGUMENT, message: `input ${name}: expected raw contents` };
      const cut = model.ignoresRows === true ? Math.floor((raw.end - raw.start) / rows) : raw.end - raw.start;
      outputs.push({
        name: `${name}_out`,
        datatype,
        shape: model.ignoresRows === true ? [1, ...shape.slice(1)] : shape,
        data: [view.bytes.subarray(raw.start, raw.start + cut)],
      });
    }
    const nowMs = this.#clock.nowMs();
    const us = (ms: number): bigint => BigInt(Math.max(0, Math.round(ms * 1000)));
    const report = new Map<string, bigint>([
      [reportParameter.runUs, us(nowMs - startedMs)],
      [reportParameter.runRows, BigInt(rows)],
      [reportParameter.queueUs, us(startedMs - waiting.arrivedMs)],
    ]);
    const version = view.modelVersion === '' ? (model.versions?.at(-1) ?? '1') : view.modelVersion;
    return {
      ok: true,
      message: writeInferResponse({
        modelName: view.modelName,
        modelVersion: version,
        id: view.id,
        parameters: this.reportsRuns ? report : new Map(),
        outputs,
      }),
    };
  }
}
