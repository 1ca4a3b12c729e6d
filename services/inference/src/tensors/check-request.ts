import type { Datatype, InferRequestView, InputView } from '@headrace/proto';
import { datatypeBytes, decodeContents, isDatatype } from '@headrace/proto';
import type { Refusal, RefusalReason, Result } from '@headrace/runtime';
import { refuse } from '@headrace/runtime';
import { checkBytes } from './bytes-codec.js';
import type { ModelSignature, TensorSignature } from './signature.js';
import { elementCount } from './signature.js';

/** One input of a checked request: raw bytes that fit datatype and shape exactly. */
export interface CheckedTensor {
  readonly shape: readonly number[];
  /** May be a view of the borrowed message. */
  readonly data: Buffer;
}

export interface CheckedRequest {
  /** In the order of the signature's inputs. */
  readonly tensors: readonly CheckedTensor[];
  /** Indices into the signature's outputs, in the order they were asked for; all when none was named. */
  readonly outputs: readonly number[];
  /** First dimension of a batchable model's inputs; 1 for other models. */
  readonly rows: number;
}

/**
 * Holds a request against the graph's own metadata. Every refusal names the tensor, what was expected and what came.
 * `maxBatchSize` 0 means that the first dimension has no special meaning.
 */
export function checkRequest(view: InferRequestView, signature: ModelSignature, maxBatchSize: number): Result<CheckedRequest> {
  const model = JSON.stringify(view.modelName);
  const named = new Map<string, InputView>();
  for (const input of view.inputs) {
    if (!signature.inputs.some((declared) => declared.name === input.name)) {
      return refused(`input ${quote(input.name)} is not an input of model ${model}; expected ${list(signature.inputs)}`, input.name);
    }
    if (named.has(input.name)) return refused(`input ${quote(input.name)}: expected once, got twice`, input.name);
    named.set(input.name, input);
  }
  const mixed = checkCarriage(view, model);
  if (mixed !== undefined) return { ok: false, refusal: mixed };

  const tensors: CheckedTensor[] = [];
  let rows: number | undefined;
  for (const declared of signature.inputs) {
    const input = named.get(declared.name);
    if (input === undefined)
      return refused(`input ${quote(declared.name)} is missing; model ${model} expects ${list(signature.inputs)}`, declared.name);
    const refusal = checkShape(input, declared, maxBatchSize) ?? (maxBatchSize > 0 ? checkRows(input, rows) : undefined);
    if (refusal !== undefined) return { ok: false, refusal };
    if (maxBatchSize > 0) rows = input.shape[0];
    const data = dataOf(view, input, declared);
    if (!data.ok) return data;
    tensors.push({ shape: input.shape, data: data.value });
  }
  const outputs = checkOutputs(view, signature, model);
  return outputs.ok ? { ok: true, value: { tensors, outputs: outputs.value, rows: rows ?? 1 } } : outputs;
}

/** Raw and typed data do not mix in one request, and raw entries are matched to inputs by position. */
function checkCarriage(view: InferRequestView, model: string): Refusal | undefined {
  for (const input of view.inputs) {
    if (input.parameters.has('shared_memory_region')) {
      return refusal(
        'INVALID_PARAMETER',
        `input ${quote(input.name)}: shared memory is not supported, expected the data in the request`,
        input.name,
      );
    }
  }
  if (view.rawInputCount === 0) return undefined;
  const typed = view.inputs.find((input) => input.contents.length > 0);
  if (typed !== undefined) {
    return refusal(
      'INVALID_TENSOR',
      `contents field must not be specified when using raw_input_contents for ${quote(typed.name)} for model ${model}`,
      typed.name,
    );
  }
  if (view.rawInputCount === view.inputs.length) return undefined;
  return refusal(
    'INVALID_TENSOR',
    `raw_input_contents: expected ${view.inputs.length} entries (one for each input), got ${view.rawInputCount}`,
    'raw_input_contents',
  );
}

function checkShape(input: InputView, declared: TensorSignature, maxBatchSize: number): Refusal | undefined {
  const name = quote(input.name);
  if (!isDatatype(input.datatype)) {
    return refusal(
      'UNSUPPORTED_DATATYPE',
      `input ${name}: expected datatype ${declared.datatype}, got ${quote(input.datatype)}, which is not a datatype of the protocol`,
      input.name,
    );
  }
  if (input.datatype !== declared.datatype) {
    return refusal('INVALID_TENSOR', `input ${name}: expected datatype ${declared.datatype}, got ${input.datatype}`, input.name);
  }
  const fits =
    input.shape.length === declared.shape.length &&
    input.shape.every((dim, index) => declared.shape[index] === -1 || declared.shape[index] === dim);
  if (!fits)
    return refusal('INVALID_TENSOR', `input ${name}: expected shape ${show(declared.shape)}, got ${show(input.shape)}`, input.name);
  const rows = input.shape[0] ?? 0;
  if (maxBatchSize > 0 && rows > maxBatchSize) {
    return refusal(
      'INVALID_TENSOR',
      `input ${name}: expected at most ${maxBatchSize} rows (the model's largest batch), got ${rows}`,
      input.name,
    );
  }
  return undefined;
}

function checkRows(input: InputView, rows: number | undefined): Refusal | undefined {
  if (rows === undefined || input.shape[0] === rows) return undefined;
  return refusal(
    'INVALID_TENSOR',
    `input ${quote(input.name)}: expected ${rows} rows like the inputs before it, got ${input.shape[0]}`,
    input.name,
  );
}

function dataOf(view: InferRequestView, input: InputView, declared: TensorSignature): Result<Buffer> {
  const name = quote(input.name);
  const elements = elementCount(input.shape);
  const size = datatypeBytes[declared.datatype];
  if (elements === undefined || elements * Math.max(size, 4) > Number.MAX_SAFE_INTEGER) {
    return refused(`input ${name}: shape ${show(input.shape)} has more elements than a tensor can hold`, input.name);
  }
  let data: Buffer;
  if (input.raw !== undefined) {
    data = view.bytes.subarray(input.raw.start, input.raw.end);
  } else if (input.contents.length > 0) {
    const decoded = decodeTyped(view.bytes, input, declared.datatype);
    if (!decoded.ok) return decoded;
    if (decoded.value.elements !== elements) {
      return refused(
        `input ${name}: expected ${elements} elements (shape ${show(input.shape)}), got ${decoded.value.elements}`,
        input.name,
      );
    }
    data = decoded.value.raw;
  } else if (elements === 0) {
    data = Buffer.alloc(0);
  } else {
    return refused(
      `unable to find data for input tensor ${name}: expected ${elements} elements in raw_input_contents or contents`,
      input.name,
    );
  }
  if (declared.datatype === 'BYTES') {
    const checked = checkBytes(data, elements);
    return checked.ok ? { ok: true, value: data } : refused(`input ${name}: ${checked.message}`, input.name);
  }
  if (data.length !== elements * size) {
    return refused(
      `input ${name}: expected ${elements * size} bytes (shape ${show(input.shape)} of ${declared.datatype}), got ${data.length}`,
      input.name,
    );
  }
  return { ok: true, value: data };
}

function decodeTyped(bytes: Buffer, input: InputView, datatype: Datatype): Result<{ readonly raw: Buffer; readonly elements: number }> {
  const decoded = decodeContents(bytes, input.contents, datatype);
  if (decoded.ok) return { ok: true, value: decoded };
  return refused(`input ${quote(input.name)}: ${decoded.message}`, input.name);
}

function checkOutputs(view: InferRequestView, signature: ModelSignature, model: string): Result<readonly number[]> {
  if (view.outputs.length === 0) return { ok: true, value: signature.outputs.map((_, index) => index) };
  const indices: number[] = [];
  for (const output of view.outputs) {
    const index = signature.outputs.findIndex((declared) => declared.name === output.name);
    if (index < 0) {
      const skipped = signature.skippedOutputs.includes(output.name) ? ' (it is a sequence or map, not a tensor)' : '';
      return refused(
        `output ${quote(output.name)} is not an output of model ${model}${skipped}; expected ${list(signature.outputs)}`,
        output.name,
      );
    }
    if (indices.includes(index)) return refused(`output ${quote(output.name)}: expected once, got twice`, output.name);
    for (const parameter of ['shared_memory_region', 'classification']) {
      if (output.parameters.has(parameter)) {
        return {
          ok: false,
          refusal: refusal('INVALID_PARAMETER', `output ${quote(output.name)}: parameter ${parameter} is not supported`, output.name),
        };
      }
    }
    indices.push(index);
  }
  return { ok: true, value: indices };
}

function refused(message: string, field: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: refusal('INVALID_TENSOR', message, field) };
}

function refusal(reason: RefusalReason, message: string, field: string): Refusal {
  return refuse(reason, message, { field });
}

/** Names come from the caller: quoted, and cut so that a message stays a line. */
function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name);
}

function list(tensors: readonly TensorSignature[]): string {
  const names = tensors.slice(0, 16).map((tensor) => quote(tensor.name));
  return names.length < tensors.length ? `${names.join(', ')} and ${tensors.length - names.length} more` : names.join(', ');
}

function show(shape: readonly number[]): string {
  return shape.length > 16 ? `[${shape.slice(0, 16).join(',')},... ${shape.length} dims]` : `[${shape.join(',')}]`;
}
