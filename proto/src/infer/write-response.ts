import { WireWriter, stringFieldSize } from '../wire-format/writer.js';
import type { InferResponseToWrite } from './request.js';
import { parametersSize, tensorsSize, writeParameters, writeRawContents, writeStringField, writeTensors } from './write-parts.js';

/**
 * A ModelInferResponse with raw_output_contents. Tensor data is copied once, into the message.
 *
 * Throws a RangeError when a dimension is not in [0, 2^53) or an integer parameter has more than 64 bits.
 */
export function writeInferResponse(response: InferResponseToWrite): Buffer {
  const writer = new WireWriter(
    stringFieldSize(response.modelName) +
      stringFieldSize(response.modelVersion) +
      stringFieldSize(response.id) +
      parametersSize(response.parameters) +
      tensorsSize(response.outputs),
  );
  writeStringField(writer, 0x0a, response.modelName);
  writeStringField(writer, 0x12, response.modelVersion);
  writeStringField(writer, 0x1a, response.id);
  writeParameters(writer, 0x22, response.parameters);
  writeTensors(writer, 0x2a, response.outputs);
  writeRawContents(writer, 0x32, response.outputs);
  return writer.finish();
}
