import type { Datatype, InferResponseView, OutputView, ScanFailure } from '@headrace/proto';
import { PreparedInferResponse, decodeContents, isDatatype } from '@headrace/proto';
import type { SplitRows } from './tensor-rows.js';
import { splitTensorRows } from './tensor-rows.js';

export type SplitResponse = { readonly ok: true; readonly messages: Buffer[] } | ScanFailure;

/**
 * The response of a batch cut into one ModelInferResponse per member: member i gets `rows[i]` rows of every output and
 * `ids[i]`; model name, version and parameters are the batch's.
 *
 * Not ok, naming the output, where the first dim is not the sum of rows or the bytes are not what the shape says. The
 * model then does not keep rows apart (it was declared batchable and is not), and the caller stops batching it.
 */
export function splitResponse(response: InferResponseView, rows: readonly number[], ids: readonly string[]): SplitResponse {
  const split: SplitOutput[] = [];
  for (const output of response.outputs) {
    const { datatype } = output;
    if (!isDatatype(datatype))
      return { ok: false, message: `output '${output.name}': expected a datatype of the protocol, got '${datatype}'` };
    const result = splitOutput(response, output, datatype, rows);
    if (!result.ok) return { ok: false, message: `output '${output.name}': ${result.message}` };
    split.push({ output, datatype, parts: result.parts });
  }
  // Members of as many rows differ in id and bytes alone; mostly all have one.
  const patterns = new Map<number, PreparedInferResponse>();
  const messages = rows.map((count, member) => {
    let pattern = patterns.get(count);
    if (pattern === undefined) patterns.set(count, (pattern = patternOf(response, split, count)));
    const raws: Uint8Array[] = [];
    for (const { parts } of split) raws.push(parts[member] ?? nothing);
    return pattern.write(ids[member] ?? '', [], raws);
  });
  return { ok: true, messages };
}

interface SplitOutput {
  readonly output: OutputView;
  readonly datatype: Datatype;
  /** One for each member. */
  readonly parts: readonly Uint8Array[];
}

const nothing = new Uint8Array(0);

function patternOf(response: InferResponseView, split: readonly SplitOutput[], rows: number): PreparedInferResponse {
  const { modelName, modelVersion, parameters } = response;
  return new PreparedInferResponse({
    modelName,
    modelVersion,
    fixed: parameters,
    parameters: [],
    outputs: split.map(({ output: { name, shape, parameters: own }, datatype }) => ({
      name,
      datatype,
      shape: [rows, ...shape.slice(1)],
      parameters: own,
    })),
  });
}

function splitOutput(response: InferResponseView, output: OutputView, datatype: Datatype, rows: readonly number[]): SplitRows {
  const { shape, raw } = output;
  if (shape.length === 0) return { ok: false, message: 'expected the rows as first dimension, got the shape []' };
  if (raw !== undefined) return splitTensorRows({ datatype, shape, data: response.bytes.subarray(raw.start, raw.end) }, rows);
  const decoded = decodeContents(response.bytes, output.contents, datatype);
  return decoded.ok ? splitTensorRows({ datatype, shape, data: decoded.raw }, rows) : decoded;
}
