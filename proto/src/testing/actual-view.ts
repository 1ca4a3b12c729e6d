import { decodeContents } from '../infer/contents.js';
import { isDatatype } from '../infer/datatype.js';
import { scanInferRequest } from '../infer/scan-request.js';
import { scanInferResponse } from '../infer/scan-response.js';
import type { InputView } from '../infer/request.js';
import { rawElements } from './expected-view.js';
import type { ExpectedMessage, ExpectedTensor } from './expected-view.js';

/** What scanning a message and decoding its typed contents gives, in the form of an ExpectedMessage; undefined where it is refused. */
export function actualView(bytes: Buffer, kind: 'request' | 'response'): ExpectedMessage | undefined {
  if (kind === 'request') {
    const scanned = scanInferRequest(bytes);
    if (!scanned.ok) return undefined;
    const { modelName, modelVersion, id, parameters, inputs, outputs, rawInputCount } = scanned.view;
    const tensors = actualTensors(bytes, inputs);
    return tensors && { modelName, modelVersion, id, parameters, tensors, outputs, rawCount: rawInputCount };
  }
  const scanned = scanInferResponse(bytes);
  if (!scanned.ok) return undefined;
  const { modelName, modelVersion, id, parameters, outputs, rawOutputCount } = scanned.view;
  const tensors = actualTensors(bytes, outputs);
  return tensors && { modelName, modelVersion, id, parameters, tensors, outputs: [], rawCount: rawOutputCount };
}

function actualTensors(bytes: Buffer, views: readonly InputView[]): readonly ExpectedTensor[] | undefined {
  const tensors: ExpectedTensor[] = [];
  for (const { name, datatype, shape, parameters, raw, contents } of views) {
    let typed: ExpectedTensor['typed'];
    if (contents.length > 0) {
      if (!isDatatype(datatype)) return undefined;
      const decoded = decodeContents(bytes, contents, datatype);
      if (!decoded.ok) return undefined;
      typed = rawElements(decoded.raw, datatype);
      if (typed?.length !== decoded.elements) throw new Error(`${decoded.elements} elements counted, ${typed?.length} written`);
    }
    tensors.push({ name, datatype, shape, parameters, typed, raw: raw && bytes.toString('hex', raw.start, raw.end) });
  }
  return tensors;
}
