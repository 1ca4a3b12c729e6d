import type { InferRequestView, ParameterValue, TensorToWrite } from '@headrace/proto';
import { isDatatype, writeInferRequest } from '@headrace/proto';

/** Raw bytes of input `index` (in the order of `view.inputs`) of a member. */
export type RawOf = (view: InferRequestView, index: number) => Uint8Array;

export interface MergeOverrides {
  /** Default: empty; members keep their ids and get them back by splitResponse. */
  readonly id?: string;
  /** Instead of the first member's; the resolved version, where the caller knows it. */
  readonly modelVersion?: string;
  /** Set, or (undefined) removed, over the parameters that all members share: priority and timeout of the batch. */
  readonly parameters?: ReadonlyMap<string, ParameterValue | undefined>;
}

/**
 * One ModelInferRequest of all members' rows, in their order; the tensors are copied once, into the message. The members
 * are of one lane and the bytes of each are what its shapes say (findBytesMismatch), for a byte too many would shift the
 * rows of all after it: names, datatypes, dims and byte sizes are known to agree; inputs
 * may come in another order than the first member's and are put in place by name.
 *
 * Throws a RangeError where that is not so: to go on would mix the rows of different callers.
 */
export function mergeRequests(views: readonly InferRequestView[], rawOf: RawOf, overrides: MergeOverrides = {}): Buffer {
  const [first] = views;
  if (first === undefined) throw new RangeError('mergeRequests: expected at least one request, got none');
  const inputs = first.inputs.map((input, position): TensorToWrite => {
    const { name, datatype, shape, parameters: own } = input;
    if (!isDatatype(datatype)) throw new RangeError(`mergeRequests: input '${name}' has the unknown datatype '${datatype}'`);
    let rows = 0;
    const data: Uint8Array[] = [];
    for (const view of views) {
      const index = indexOf(view, name, position);
      const other = view.inputs[index];
      if (
        other === undefined ||
        view.inputs.length !== first.inputs.length ||
        other.datatype !== datatype ||
        !sameInnerDims(other.shape, shape)
      ) {
        throw new RangeError(`mergeRequests: input '${name}' ${datatype} [${shape.join()}] has no like in another request of the batch`);
      }
      rows += other.shape[0] ?? 0;
      data.push(rawOf(view, index));
    }
    // The lane key holds them, so that all members agree.
    return { name, datatype, shape: [rows, ...shape.slice(1)], data, parameters: own };
  });
  const parameters = new Map(first.parameters);
  for (const [name, value] of overrides.parameters ?? []) {
    if (value === undefined) parameters.delete(name);
    else parameters.set(name, value);
  }
  return writeInferRequest({
    modelName: first.modelName,
    modelVersion: overrides.modelVersion ?? first.modelVersion,
    id: overrides.id ?? '',
    parameters,
    inputs,
    outputs: first.outputs,
  });
}

/** Most members have their inputs in the same order. */
function indexOf(view: InferRequestView, name: string, guess: number): number {
  return view.inputs[guess]?.name === name ? guess : view.inputs.findIndex((input) => input.name === name);
}

function sameInnerDims(left: readonly number[], right: readonly number[]): boolean {
  return left.length > 0 && left.length === right.length && left.every((dim, axis) => axis === 0 || dim === right[axis]);
}
