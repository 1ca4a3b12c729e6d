import { MalformedMessage, WireReader, wireType } from '../wire-format/reader.js';
import type { Scope } from '../wire-format/reader.js';
import type { ByteRange, InferResponseView, ParameterValue, ScanResult } from './request.js';
import { noParameters, scanParameter } from './scan-parameters.js';
import { byteRange, scanTensor, tensorFields } from './scan-tensor.js';
import type { ScannedTensor } from './scan-tensor.js';

const messageScope: Scope = {
  path: '',
  fields: ['', 'model_name', 'model_version', 'id', 'parameters', 'outputs', 'raw_output_contents'],
};
const outputScope: Scope = { path: 'outputs', fields: tensorFields };

/**
 * Reads a ModelInferResponse in one pass, by the same rules and limits as scanInferRequest. Raw contents are paired with
 * outputs by position alone, which is how clients read them.
 */
export function scanInferResponse(bytes: Buffer): ScanResult<InferResponseView> {
  try {
    return { ok: true, view: scan(bytes) };
  } catch (error) {
    if (error instanceof MalformedMessage) return { ok: false, message: `ModelInferResponse: ${error.message}` };
    throw error;
  }
}

function scan(bytes: Buffer): InferResponseView {
  const reader = new WireReader(bytes, messageScope);
  let modelName = '';
  let modelVersion = '';
  let id = '';
  let parameters: Map<string, ParameterValue> | undefined;
  const outputs: ScannedTensor[] = [];
  const raws: ByteRange[] = [];
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
        break;
      case (4 << 3) | wireType.bytes:
        parameters = scanParameter(reader, parameters, 1);
        break;
      case (5 << 3) | wireType.bytes:
        outputs.push(scanTensor(reader, outputScope, outputs.length));
        break;
      case (6 << 3) | wireType.bytes:
        reader.spendEntry();
        raws.push(byteRange(reader));
        break;
      default:
        reader.skip(tag, 1);
    }
  }
  for (const [index, output] of outputs.entries()) output.raw = raws[index];
  return { bytes, modelName, modelVersion, id, parameters: parameters ?? noParameters, outputs, rawOutputCount: raws.length };
}
