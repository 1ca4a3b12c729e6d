import type { InferResponseView, OutputView, ScanFailure, TensorToWrite } from '@headrace/proto';
import { decodeContents, isDatatype, writeInferResponse } from '@headrace/proto';
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
  const split: { output: OutputView; parts: readonly Uint8Array[] }[] = [];
  for (const output of response.outputs) {
    const result = splitOutput(response, output, rows);
    if (!result.ok) return { ok: false, message: `output '${output.name}': ${result.message}` };
    split.push({ output, parts: result.parts });
  }
  const messages = rows.map((count, member) => {
    const outputs: TensorToWrite[] = [];
    for (const { output, parts } of split) {
      const part = parts[member];
      if (part === undefined || !isDatatype(output.datatype)) continue;
      const { name, datatype, shape, parameters: own } = output;
      outputs.push({ name, datatype, shape: [count, ...shape.slice(1)], data: [part], parameters: own });
    }
    const { modelName, modelVersion, parameters } = response;
    return writeInferResponse({ modelName, modelVersion, id: ids[member] ?? '', parameters, outputs });
  });
  return { ok: true, messages };
}

function splitOutput(response: InferResponseView, output: OutputView, rows: readonly number[]): SplitRows {
  const { datatype, shape, raw } = output;
  if (!isDatatype(datatype)) return { ok: false, message: `expected a datatype of the protocol, got '${datatype}'` };
  if (shape.length === 0) return { ok: false, message: 'expected the rows as first dimension, got the shape []' };
  if (raw !== undefined) return splitTensorRows({ datatype, shape, data: response.bytes.subarray(raw.start, raw.end) }, rows);
  const decoded = decodeContents(response.bytes, output.contents, datatype);
  return decoded.ok ? splitTensorRows({ datatype, shape, data: decoded.raw }, rows) : decoded;
}
