import { RequestScanner } from '@headrace/proto';
import type { RequestForm } from '@headrace/proto';
import type { Clock, Refusal } from '@headrace/runtime';
import { refuse } from '@headrace/runtime';
import type { InferOutcome, PendingInfer } from '../execute/pending.js';
import type { InferenceMetrics } from '../metrics.js';
import type { ModelHost } from '../repository/model-host.js';
import type { CheckedTensor } from '../tensors/check-request.js';
import { InferPlan } from './infer-plan.js';

export type InferReply =
  | { readonly ok: true; readonly message: Buffer; readonly model: string }
  /** `id` and `model` as far as the request could be read. */
  | { readonly ok: false; readonly refusal: Refusal; readonly id: string; readonly model: string };

export interface InferService {
  /**
   * Takes one ModelInferRequest; `message` is borrowed. `reply` is called once, perhaps before this returns, and never
   * after the returned function was called, which says that nobody waits any more.
   */
  start(message: Buffer, deadlineMs: number, stream: boolean, reply: (reply: InferReply) => void): () => void;
}

export function createInferService(host: ModelHost, clock: Clock, metrics: InferenceMetrics): InferService {
  const scanner = new RequestScanner();
  const plans = new WeakMap<RequestForm, InferPlan>();
  return {
    start(message, deadlineMs, stream, reply) {
      const arrivedMs = clock.nowMs();
      const refused = (refusal: Refusal, id: string, model: string): (() => void) => {
        metrics.refused(refusal.reason);
        reply({ ok: false, refusal, id, model });
        return nothing;
      };
      // 1. Scan.
      const scanned = scanner.scan(message);
      if (!scanned.ok) return refused(refuse('MALFORMED_MESSAGE', scanned.message), '', '');
      const { view } = scanned;
      // 2. Find the model version.
      const found = host.resolve(view.modelName, view.modelVersion);
      if (!found.ok) return refused(found.refusal, view.id, view.modelName);
      // 3. Hold the request against it, unless one of the same form was.
      const ready = found.value;
      const known = view.form === undefined ? undefined : plans.get(view.form);
      let plan: InferPlan;
      let tensors: readonly CheckedTensor[];
      if (known?.ready.state === ready.state) {
        plan = known;
        tensors = known.cut(message);
      } else {
        const made = InferPlan.of(view, ready);
        if (!made.ok) return refused(made.refusal, view.id, view.modelName);
        ({ plan, tensors } = made.value);
        if (view.form !== undefined && plan.serves) plans.set(view.form, plan);
      }
      // 4. Queue it.
      const { execution } = ready.state;
      const request = new ServedRequest(plan, tensors, view.modelName, view.id, stream, arrivedMs, deadlineMs, execution.mayMerge, reply);
      const refusal = execution.submit(request);
      if (refusal !== undefined) return refused(refusal, view.id, view.modelName);
      return () => execution.cancel(request);
    },
  };
}

const nothing = (): void => {};

/** A request from its acceptance to its reply. */
class ServedRequest implements PendingInfer {
  readonly lane: string;
  readonly shapeClass: string;
  readonly rows: number;
  readonly band: number;
  readonly bypass: boolean;
  readonly arrivedMs: number;
  readonly deadlineMs: number;
  readonly mergeable: boolean;
  readonly outputs: readonly number[];
  readonly startByMs: number;
  tensors: readonly CheckedTensor[];
  state: PendingInfer['state'] = 'waiting';
  startByTimer: PendingInfer['startByTimer'] = undefined;
  place: PendingInfer['place'] = undefined;
  readonly #plan: InferPlan;
  readonly #model: string;
  readonly #id: string;
  readonly #finalFlag: boolean;
  readonly #reply: (reply: InferReply) => void;

  constructor(
    plan: InferPlan,
    tensors: readonly CheckedTensor[],
    model: string,
    id: string,
    stream: boolean,
    arrivedMs: number,
    deadlineMs: number,
    mayMerge: boolean,
    reply: (reply: InferReply) => void,
  ) {
    const { band, bypass, timeoutUs, sequence, wantsFinalFlag } = plan.parameters;
    this.lane = plan.lane;
    this.shapeClass = plan.shapeClass;
    this.rows = Math.max(1, plan.rows);
    this.band = band;
    this.bypass = bypass;
    this.arrivedMs = arrivedMs;
    this.deadlineMs = deadlineMs;
    // A request of no rows gains nothing from company, and its empty share would be hard to tell apart.
    this.mergeable = mayMerge && !sequence && plan.rows > 0;
    this.outputs = plan.outputs;
    this.startByMs = timeoutUs === undefined ? Infinity : arrivedMs + timeoutUs / 1000;
    this.tensors = tensors;
    this.#plan = plan;
    this.#model = model;
    this.#id = id;
    this.#finalFlag = stream && wantsFinalFlag;
    this.#reply = reply;
  }

  // 5. Answer.
  done(outcome: InferOutcome): void {
    if (!outcome.ok) return this.#reply({ ok: false, refusal: outcome.refusal, id: this.#id, model: this.#model });
    const runUs = Math.max(1, Math.round(outcome.runMs * 1000));
    const queueUs = Math.max(0, Math.round(outcome.queueMs * 1000));
    const message = this.#plan.respond(this.#id, runUs, outcome.ranRows, queueUs, outcome.parts, this.#finalFlag);
    this.#reply({ ok: true, message, model: this.#model });
  }
}
