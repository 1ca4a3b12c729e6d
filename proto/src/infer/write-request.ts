import { WireWriter, delimitedSize, stringFieldSize } from '../wire-format/writer.js';
import type { InferRequestToWrite } from './request.js';
import { parametersSize, tensorsSize, writeParameters, writeRawContents, writeStringField, writeTensors } from './write-parts.js';

/**
 * A ModelInferRequest with raw_input_contents. Tensor data is copied once, into the message.
 *
 * Throws a RangeError when a dimension is not in [0, 2^53) or an integer parameter has more than 64 bits.
 */
export function writeInferRequest(request: InferRequestToWrite): Buffer {
  const outputSizes = request.outputs.map((output) => stringFieldSize(output.name) + parametersSize(output.parameters));
  const writer = new WireWriter(
    stringFieldSize(request.modelName) +
      stringFieldSize(request.modelVersion) +
      stringFieldSize(request.id) +
      parametersSize(request.parameters) +
      tensorsSize(request.inputs) +
      outputSizes.reduce((sum, size) => sum + delimitedSize(size), 0),
  );
  writeStringField(writer, 0x0a, request.modelName);
  writeStringField(writer, 0x12, request.modelVersion);
  writeStringField(writer, 0x1a, request.id);
  writeParameters(writer, 0x22, request.parameters);
  writeTensors(writer, 0x2a, request.inputs);
  for (const [index, output] of request.outputs.entries()) {
    writer.varint(0x32);
    writer.varint(outputSizes[index] ?? 0);
    writeStringField(writer, 0x0a, output.name);
    writeParameters(writer, 0x12, output.parameters);
  }
  writeRawContents(writer, 0x3a, request.inputs);
  return writer.finish();
}
