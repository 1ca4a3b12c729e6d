import { MalformedMessage, WireReader, wireType } from '../wire-format/reader.js';
import type { Scope } from '../wire-format/reader.js';
import type { ByteRange, InferRequestView, ParameterValue, RequestedOutputView, ScanResult } from './request.js';
import { noParameters, scanParameter } from './scan-parameters.js';
import { byteRange, scanTensor, tensorFields } from './scan-tensor.js';
import type { ScannedTensor } from './scan-tensor.js';

const messageScope: Scope = {
  path: '',
  fields: ['', 'model_name', 'model_version', 'id', 'parameters', 'inputs', 'outputs', 'raw_input_contents'],
};
const inputScope: Scope = { path: 'inputs', fields: tensorFields };
const outputScope: Scope = { path: 'outputs', fields: ['', 'name', 'parameters'] };
/** A tensor with this parameter has its bytes elsewhere and takes no raw_input_contents entry. */
const sharedMemoryParameter = 'shared_memory_region';

/**
 * Reads a ModelInferRequest in one pass, without copying tensor data. By protobuf's rules: fields in any order, unknown
 * fields skipped, the last of a repeated scalar wins, submessages given twice are merged.
 *
 * Raw contents are paired with inputs in order. How many there are, and whether an input has both raw and typed contents, is for
 * the caller to check. A parameter whose oneof is unset is left out.
 *
 * Fails on anything that is not such a message, on invalid UTF-8, on a dimension outside [0, 2^53), and on more than
 * 65,536 inputs, outputs, dimensions, parameters and contents together.
 */
export function scanInferRequest(bytes: Buffer): ScanResult<InferRequestView> {
  return scanMarked(bytes, undefined);
}

/** Where the parts of a message are that differ from request to request; filled in by the scan. */
export interface RequestMarks {
  /** How often the id is given, and where its text ends the last time. */
  ids: number;
  idEnd: number;
  readonly raws: ByteRange[];
}

/** As scanInferRequest, and tells where id and raw contents are. */
export function scanMarked(bytes: Buffer, marks: RequestMarks | undefined): ScanResult<InferRequestView> {
  try {
    return { ok: true, view: scan(bytes, marks) };
  } catch (error) {
    if (error instanceof MalformedMessage) return { ok: false, message: `ModelInferRequest: ${error.message}` };
    throw error;
  }
}

function scan(bytes: Buffer, marks: RequestMarks | undefined): InferRequestView {
  const reader = new WireReader(bytes, messageScope);
  let modelName = '';
  let modelVersion = '';
  let id = '';
  let parameters: Map<string, ParameterValue> | undefined;
  const inputs: ScannedTensor[] = [];
  const outputs: RequestedOutputView[] = [];
  const raws: ByteRange[] = marks?.raws ?? [];
  while (reader.position < reader.end) {
    const tag = reader.tag();
    switch (tag) {
      case (1 << 3) | wireType.bytes:
        modelName = reader.string();
        break;
      case (2 << 3) | wireType.bytes:
        modelVersion = reader.string();
        break;
      case (3 << 3) | wireType.bytes:
        id = reader.string();
        if (marks !== undefined) {
          marks.ids += 1;
          marks.idEnd = reader.position;
        }
        break;
      case (4 << 3) | wireType.bytes:
        parameters = scanParameter(reader, parameters, 1);
        break;
      case (5 << 3) | wireType.bytes:
        inputs.push(scanTensor(reader, inputScope, inputs.length));
        break;
      case (6 << 3) | wireType.bytes:
        outputs.push(scanRequestedOutput(reader, outputs.length));
        break;
      case (7 << 3) | wireType.bytes:
        reader.spendEntry();
        raws.push(byteRange(reader));
        break;
      default:
        reader.skip(tag, 1);
    }
  }
  pairRaw(inputs, raws);
  return { bytes, modelName, modelVersion, id, parameters: parameters ?? noParameters, inputs, outputs, rawInputCount: raws.length };
}

function pairRaw(inputs: readonly ScannedTensor[], raws: readonly ByteRange[]): void {
  let next = 0;
  for (const input of inputs) {
    if (next === raws.length) return;
    if (input.parameters.size > 0 && input.parameters.has(sharedMemoryParameter)) continue;
    input.raw = raws[next++];
  }
}

function scanRequestedOutput(reader: WireReader, index: number): RequestedOutputView {
  reader.spendEntry();
  const length = reader.length();
  const { end } = reader;
  reader.end = reader.position + length;
  reader.scope = outputScope;
  reader.index = index;
  let name = '';
  let parameters: Map<string, ParameterValue> | undefined;
  while (reader.position < reader.end) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | wireType.bytes)) name = reader.string();
    else if (tag === ((2 << 3) | wireType.bytes)) parameters = scanParameter(reader, parameters, 2);
    else reader.skip(tag, 2);
  }
  reader.end = end;
  reader.scope = messageScope;
  reader.index = -1;
  return { name, parameters: parameters ?? noParameters };
}
