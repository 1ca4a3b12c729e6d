import { delimitedSize, stringFieldSize, textSize, varint64Size, varintSize } from '../wire-format/writer.js';
import type { WireWriter } from '../wire-format/writer.js';
import { quoteName } from '../wire-format/text.js';
import type { ParameterValue, TensorToWrite } from './request.js';

const maxInt64 = 2n ** 63n - 1n;
const minInt64 = -(2n ** 63n);
const maxUint64 = 2n ** 64n - 1n;

/** Writes a string field; empty ones are left out, as proto3 does. */
export function writeStringField(writer: WireWriter, tag: number, text: string): void {
  if (text !== '') writer.string(tag, text, textSize(text));
}

/** Size of the InferParameter itself. */
function valueSize(name: string, value: ParameterValue): number {
  if (typeof value === 'boolean') return 2;
  if (typeof value === 'string') return delimitedSize(textSize(value));
  if (typeof value === 'number') return 9;
  if (value < minInt64 || value > maxUint64) {
    throw new RangeError(`parameter ${quoteName(name)}: expected an integer of 64 bits, got ${value}`);
  }
  return 1 + varint64Size(value);
}

/** Size of a whole parameter map. Throws a RangeError when an integer has more than 64 bits. */
export function parametersSize(parameters: ReadonlyMap<string, ParameterValue>): number {
  let size = 0;
  for (const [name, value] of parameters) size += delimitedSize(delimitedSize(textSize(name)) + delimitedSize(valueSize(name, value)));
  return size;
}

export function writeParameters(writer: WireWriter, tag: number, parameters: ReadonlyMap<string, ParameterValue>): void {
  for (const [name, value] of parameters) {
    const nameBytes = textSize(name);
    const valueBytes = valueSize(name, value);
    writer.varint(tag);
    writer.varint(delimitedSize(nameBytes) + delimitedSize(valueBytes));
    writer.string(0x0a, name, nameBytes);
    writer.varint(0x12);
    writer.varint(valueBytes);
    writeValue(writer, value);
  }
}

function writeValue(writer: WireWriter, value: ParameterValue): void {
  if (typeof value === 'boolean') {
    writer.varint(0x08);
    writer.varint(value ? 1 : 0);
  } else if (typeof value === 'string') {
    writer.string(0x1a, value, textSize(value));
  } else if (typeof value === 'number') {
    writer.varint(0x21);
    writer.double(value);
  } else {
    // uint64_param only for what int64_param cannot hold.
    writer.varint(value > maxInt64 ? 0x28 : 0x10);
    writer.varint64(value);
  }
}

function shapeSize(tensor: TensorToWrite): number {
  let size = 0;
  for (const dim of tensor.shape) {
    if (!Number.isSafeInteger(dim) || dim < 0) {
      throw new RangeError(`shape of ${quoteName(tensor.name)}: expected dimensions from 0 to 2^53 - 1, got ${dim}`);
    }
    size += varintSize(dim);
  }
  return size;
}

function tensorSize(tensor: TensorToWrite): number {
  const shape = shapeSize(tensor);
  const parameters = tensor.parameters === undefined ? 0 : parametersSize(tensor.parameters);
  return stringFieldSize(tensor.name) + stringFieldSize(tensor.datatype) + (shape === 0 ? 0 : delimitedSize(shape)) + parameters;
}

function dataSize(tensor: TensorToWrite): number {
  let size = 0;
  for (const piece of tensor.data) size += piece.byteLength;
  return size;
}

/** Size of tensors with their raw contents. Throws a RangeError on a dimension that cannot be written. */
export function tensorsSize(tensors: readonly TensorToWrite[]): number {
  let size = 0;
  for (const tensor of tensors) size += delimitedSize(tensorSize(tensor)) + delimitedSize(dataSize(tensor));
  return size;
}

/** Size of what writeTensors writes. Throws a RangeError on a dimension that cannot be written. */
export function tensorHeadersSize(tensors: readonly TensorToWrite[]): number {
  let size = 0;
  for (const tensor of tensors) size += delimitedSize(tensorSize(tensor));
  return size;
}

/** The headers of tensors; their data goes last, so that a reader has met all names before the first large payload. */
export function writeTensors(writer: WireWriter, tag: number, tensors: readonly TensorToWrite[]): void {
  for (const tensor of tensors) {
    writer.varint(tag);
    writer.varint(tensorSize(tensor));
    writeStringField(writer, 0x0a, tensor.name);
    writeStringField(writer, 0x12, tensor.datatype);
    const shape = shapeSize(tensor);
    if (shape > 0) {
      writer.varint(0x1a);
      writer.varint(shape);
      for (const dim of tensor.shape) writer.varint(dim);
    }
    if (tensor.parameters !== undefined) writeParameters(writer, 0x22, tensor.parameters);
  }
}

export function writeRawContents(writer: WireWriter, tag: number, tensors: readonly TensorToWrite[]): void {
  for (const tensor of tensors) {
    writer.varint(tag);
    writer.varint(dataSize(tensor));
    for (const piece of tensor.data) writer.raw(piece);
  }
}
