import { laneKey, shapeClass } from '@headrace/batching';
import type { ByteRange, InferRequestView, ParameterValue } from '@headrace/proto';
import { PreparedInferResponse, reportParameter } from '@headrace/proto';
import type { Result } from '@headrace/runtime';
import type { ReadyVersion } from '../model/served-model.js';
import { checkRequest } from '../tensors/check-request.js';
import type { CheckedTensor } from '../tensors/check-request.js';
import type { TensorPart } from '../tensors/scatter.js';
import type { ModelSignature } from '../tensors/signature.js';
import { readParameters } from './request-parameters.js';
import type { RequestParameters } from './request-parameters.js';

const finalFlag: ReadonlyMap<string, ParameterValue> = new Map([['triton_final_response', true]]);
const reports = [reportParameter.runUs, reportParameter.runRows, reportParameter.queueUs];

/** One input of a form: all that is left to do is to cut its bytes out of the message. */
interface InputCut {
  readonly shape: readonly number[];
  readonly range: ByteRange;
}

/** What follows from what a request says (its form) and the model version that it goes to: the same for all of that form. */
export class InferPlan {
  readonly ready: ReadyVersion;
  readonly parameters: RequestParameters;
  readonly version: string;
  readonly lane: string;
  readonly shapeClass: string;
  readonly rows: number;
  /** Indices into the signature's outputs. */
  readonly outputs: readonly number[];
  readonly #cuts: readonly InputCut[] | undefined;
  readonly #modelName: string;
  readonly #signature: ModelSignature;
  #response:
    | { readonly final: boolean; readonly shapes: readonly (readonly number[])[]; readonly prepared: PreparedInferResponse }
    | undefined;

  private constructor(
    view: InferRequestView,
    ready: ReadyVersion,
    parameters: RequestParameters,
    rows: number,
    outputs: readonly number[],
    cuts: readonly InputCut[] | undefined,
  ) {
    this.ready = ready;
    this.parameters = parameters;
    this.version = String(ready.version);
    this.lane = laneKey(view, this.version);
    this.shapeClass = shapeClass(view, this.version);
    this.rows = rows;
    this.outputs = outputs;
    this.#cuts = cuts;
    this.#modelName = view.modelName;
    this.#signature = ready.state.loaded.signature;
  }

  /** Holds the request against the model; the plan's first request comes with it. */
  static of(view: InferRequestView, ready: ReadyVersion): Result<{ readonly plan: InferPlan; readonly tensors: readonly CheckedTensor[] }> {
    const { signature, settings } = ready.state.loaded;
    const parameters = readParameters(view);
    if (!parameters.ok) return parameters;
    const checked = checkRequest(view, signature, settings.batching.maxBatchSize);
    if (!checked.ok) return checked;
    const { tensors, outputs, rows } = checked.value;
    return { ok: true, value: { plan: new InferPlan(view, ready, parameters.value, rows, outputs, cutsOf(view, signature)), tensors } };
  }

  /** False when requests of one form must still be looked at one by one. */
  get serves(): boolean {
    return this.#cuts !== undefined;
  }

  /** The inputs of another request of the form, in the order of the signature: views of `bytes`. */
  cut(bytes: Buffer): CheckedTensor[] {
    return (this.#cuts ?? []).map(({ shape, range }) => ({ shape, data: bytes.subarray(range.start, range.end) }));
  }

  /** Times in whole microseconds; `final`: a stream's client asked to be told which reply is the last one of its request. */
  respond(id: string, runUs: number, ranRows: number, queueUs: number, parts: readonly TensorPart[], final: boolean): Buffer {
    const raws: Uint8Array[] = [];
    for (const part of parts) raws.push(part.data);
    return this.#prepared(parts, final).write(id, [runUs, ranRows, queueUs], raws);
  }

  /** Models with dynamic dims may answer in other shapes than before. */
  #prepared(parts: readonly TensorPart[], final: boolean): PreparedInferResponse {
    const known = this.#response;
    if (known?.final === final && parts.every(({ shape }, index) => sameShape(shape, known.shapes[index]))) return known.prepared;
    const outputs = this.outputs.flatMap((output, index) => {
      const declared = this.#signature.outputs[output];
      const part = parts[index];
      return declared === undefined || part === undefined ? [] : [{ name: declared.name, datatype: declared.datatype, shape: part.shape }];
    });
    const prepared = new PreparedInferResponse({
      modelName: this.#modelName,
      modelVersion: this.version,
      ...(final ? { fixed: finalFlag } : {}),
      parameters: reports,
      outputs,
    });
    this.#response = { final, shapes: parts.map(({ shape }) => shape), prepared };
    return prepared;
  }
}

/** Undefined where the bytes themselves must be read to be believed: BYTES elements, typed contents. */
function cutsOf(view: InferRequestView, signature: ModelSignature): readonly InputCut[] | undefined {
  const cuts: InputCut[] = [];
  for (const { name, datatype } of signature.inputs) {
    const input = view.inputs.find((given) => given.name === name);
    if (input === undefined || datatype === 'BYTES' || input.contents.length > 0) return undefined;
    cuts.push({ shape: input.shape, range: input.raw ?? { start: 0, end: 0 } });
  }
  return cuts;
}

function sameShape(left: readonly number[], right: readonly number[] | undefined): boolean {
  if (right === undefined || left.length !== right.length) return false;
  for (let axis = 0; axis < left.length; axis++) if (left[axis] !== right[axis]) return false;
  return true;
}
