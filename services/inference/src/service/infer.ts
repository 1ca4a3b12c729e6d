import { laneKey, shapeClass } from '@headrace/batching';
import type { InferRequestView, ParameterValue, TensorToWrite } from '@headrace/proto';
import { reportParameter, scanInferRequest, writeInferResponse } from '@headrace/proto';
import type { Clock, Refusal } from '@headrace/runtime';
import { refuse } from '@headrace/runtime';
import type { InferOutcome, PendingInfer } from '../execute/pending.js';
import type { InferenceMetrics } from '../metrics.js';
import type { ModelHost } from '../repository/model-host.js';
import { checkRequest } from '../tensors/check-request.js';
import type { ModelSignature } from '../tensors/signature.js';
import { readParameters } from './request-parameters.js';

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
  return {
    start(message, deadlineMs, stream, reply) {
      const arrivedMs = clock.nowMs();
      const refused = (refusal: Refusal, id: string, model: string): (() => void) => {
        metrics.refused(refusal.reason);
        reply({ ok: false, refusal, id, model });
        return nothing;
      };
      // 1. Scan.
      const scanned = scanInferRequest(message);
      if (!scanned.ok) return refused(refuse('MALFORMED_MESSAGE', scanned.message), '', '');
      const { view } = scanned;
      // 2. Find the model version and hold the request against it.
      const found = host.resolve(view.modelName, view.modelVersion);
      if (!found.ok) return refused(found.refusal, view.id, view.modelName);
      const ready = found.value;
      const { execution, loaded } = ready.state;
      const parameters = readParameters(view);
      if (!parameters.ok) return refused(parameters.refusal, view.id, view.modelName);
      const checked = checkRequest(view, loaded.signature, loaded.settings.batching.maxBatchSize);
      if (!checked.ok) return refused(checked.refusal, view.id, view.modelName);
      // 3. Queue it.
      const { band, bypass, timeoutUs, sequence, wantsFinalFlag } = parameters.value;
      const { tensors, outputs, rows } = checked.value;
      const version = String(ready.version);
      const finalFlag = stream && wantsFinalFlag;
      const identity = { modelName: view.modelName, modelVersion: version, id: view.id };
      const request: PendingInfer = {
        lane: laneKey(view, version),
        shapeClass: shapeClass(view, version),
        rows: Math.max(1, rows),
        band,
        bypass,
        arrivedMs,
        deadlineMs,
        // A request of no rows gains nothing from company, and its empty share would be hard to tell apart.
        mergeable: execution.mayMerge && !sequence && rows > 0,
        tensors,
        outputs,
        startByMs: timeoutUs === undefined ? Infinity : arrivedMs + timeoutUs / 1000,
        // 4. Answer.
        done: (outcome) => reply(replyOf(outcome, identity, outputs, loaded.signature, finalFlag)),
        state: 'waiting',
        startByTimer: undefined,
      };
      const refusal = execution.submit(request);
      if (refusal !== undefined) return refused(refusal, view.id, view.modelName);
      return () => execution.cancel(request);
    },
  };
}

const nothing = (): void => {};

type Identity = Pick<InferRequestView, 'modelName' | 'modelVersion' | 'id'>;

function replyOf(
  outcome: InferOutcome,
  identity: Identity,
  outputs: readonly number[],
  signature: ModelSignature,
  finalFlag: boolean,
): InferReply {
  if (!outcome.ok) return { ok: false, refusal: outcome.refusal, id: identity.id, model: identity.modelName };
  const parameters = new Map<string, ParameterValue>([
    [reportParameter.runUs, BigInt(Math.max(1, Math.round(outcome.runMs * 1000)))],
    [reportParameter.runRows, BigInt(outcome.ranRows)],
    [reportParameter.queueUs, BigInt(Math.max(0, Math.round(outcome.queueMs * 1000)))],
  ]);
  if (finalFlag) parameters.set('triton_final_response', true);
  const tensors: TensorToWrite[] = [];
  outputs.forEach((output, index) => {
    const declared = signature.outputs[output];
    const part = outcome.parts[index];
    if (declared === undefined || part === undefined) return;
    tensors.push({ name: declared.name, datatype: declared.datatype, shape: part.shape, data: [part.data] });
  });
  return { ok: true, message: writeInferResponse({ ...identity, parameters, outputs: tensors }), model: identity.modelName };
}
