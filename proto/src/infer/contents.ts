import { MalformedMessage, WireReader, wireType } from '../wire-format/reader.js';
import type { Scope } from '../wire-format/reader.js';
import { datatypeBytes } from './datatype.js';
import type { Datatype } from './datatype.js';
import type { ByteRange, ScanFailure } from './request.js';

export interface DecodedContents {
  readonly ok: true;
  /** Little-endian elements; BYTES as 4-byte length and bytes, each. */
  readonly raw: Buffer;
  readonly elements: number;
}

const contentsScope: Scope = {
  path: '',
  fields: [
    '',
    'bool_contents',
    'int_contents',
    'int64_contents',
    'uint_contents',
    'uint64_contents',
    'fp32_contents',
    'fp64_contents',
    'bytes_contents',
  ],
};
/** Wire type of one element, by field number. */
const elementWireType: readonly number[] = [
  -1,
  wireType.varint,
  wireType.varint,
  wireType.varint,
  wireType.varint,
  wireType.varint,
  wireType.fixed32,
  wireType.fixed64,
  wireType.bytes,
];
const bytesField = 8;
/** Message, tensor, contents. */
const contentsDepth = 3;

/** Which field carries a datatype; FP16 and BF16 have none. */
const fieldOf: Readonly<Record<Datatype, number>> = {
  BOOL: 1,
  INT8: 2,
  INT16: 2,
  INT32: 2,
  INT64: 3,
  UINT8: 4,
  UINT16: 4,
  UINT32: 4,
  UINT64: 5,
  FP32: 6,
  FP64: 7,
  BYTES: 8,
  FP16: 0,
  BF16: 0,
};

/** Values that a narrow datatype can hold of the 32 bits that its field carries. */
const bounds: Readonly<Partial<Record<Datatype, readonly [min: number, max: number]>>> = {
  INT8: [-0x80, 0x7f],
  INT16: [-0x8000, 0x7fff],
  UINT8: [0, 0xff],
  UINT16: [0, 0xffff],
};

/**
 * Typed contents as the raw bytes of `datatype`, so that everything after it knows one form only.
 *
 * `ranges` are all occurrences of the tensor's `contents` in `bytes`, which are merged: elements are appended. The result is
 * at most 8 times as long as the input (a one-byte varint of INT64).
 *
 * Fails, naming field and element, when a value does not fit the datatype, when another datatype's field has elements,
 * when the datatype has no field (FP16, BF16), and when the bytes are malformed.
 */
export function decodeContents(bytes: Buffer, ranges: readonly ByteRange[], datatype: Datatype): DecodedContents | ScanFailure {
  const field = fieldOf[datatype];
  if (field === 0 && ranges.length > 0) {
    return { ok: false, message: `contents: expected raw contents, the only form of ${datatype}, got typed contents` };
  }
  try {
    const size = measure(bytes, ranges, datatype, field);
    const raw = Buffer.allocUnsafe(size.bytes);
    fill(bytes, ranges, datatype, field, raw);
    return { ok: true, raw, elements: size.elements };
  } catch (error) {
    if (error instanceof MalformedMessage) return { ok: false, message: `contents.${error.message}` };
    throw error;
  }
}

/** First pass: how many elements, and how many bytes they take. */
function measure(bytes: Buffer, ranges: readonly ByteRange[], datatype: Datatype, field: number): { elements: number; bytes: number } {
  let elements = 0;
  let payload = 0;
  forEachPayload(bytes, ranges, (reader, packed) => {
    const { position, end } = reader;
    if (reader.field !== field) {
      // An empty packed run is no element.
      if (packed && position === end) return;
      reader.fail(`expected ${contentsScope.fields[field]} for ${datatype}, got elements here`);
    }
    if (field === bytesField) {
      elements++;
      payload += end - position;
    } else if (elementWireType[field] === wireType.varint) {
      // Every varint ends with the one byte below 0x80.
      if (!packed) elements++;
      else for (let at = position; at < end; at++) if ((bytes[at] as number) < 0x80) elements++;
    } else {
      const width = datatypeBytes[datatype];
      if ((end - position) % width !== 0) reader.fail(`expected a multiple of ${width} bytes, got ${end - position}`);
      elements += (end - position) / width;
    }
    reader.position = end;
  });
  return { elements, bytes: field === bytesField ? 4 * elements + payload : elements * datatypeBytes[datatype] };
}

/** Second pass: writes the elements. */
function fill(bytes: Buffer, ranges: readonly ByteRange[], datatype: Datatype, field: number, raw: Buffer): void {
  let offset = 0;
  const write = elementWriter(datatype, raw);
  const width = datatypeBytes[datatype];
  forEachPayload(bytes, ranges, (reader) => {
    const { position, end } = reader;
    if (reader.field !== field) return;
    if (field === bytesField) {
      offset = raw.writeUInt32LE(end - position, offset);
      offset += bytes.copy(raw, offset, position, end);
      reader.position = end;
    } else if (elementWireType[field] === wireType.varint) {
      for (; reader.position < end; offset += width) write(reader, offset);
    } else {
      offset += bytes.copy(raw, offset, position, end);
      reader.position = end;
    }
  });
}

/** How one varint becomes one element. */
function elementWriter(datatype: Datatype, raw: Buffer): (reader: WireReader, offset: number) => void {
  switch (datatype) {
    case 'BOOL':
      return (reader, offset) => {
        raw[offset] = reader.bool() ? 1 : 0;
      };
    case 'INT64':
    case 'UINT64':
      return (reader, offset) => reader.copyVarint64(raw, offset);
    case 'INT32':
    case 'UINT32':
      return (reader, offset) => {
        raw.writeUInt32LE(reader.uint32(), offset);
      };
    default: {
      const [min, max] = bounds[datatype] ?? [0, 0];
      const width = datatypeBytes[datatype];
      return (reader, offset) => {
        const value = min < 0 ? reader.uint32() | 0 : reader.uint32();
        if (value < min || value > max) reader.fail(`element ${offset / width}: expected ${min} to ${max} for ${datatype}, got ${value}`);
        raw[offset] = value;
        if (width === 2) raw[offset + 1] = value >> 8;
      };
    }
  }
}

/**
 * Walks the records of all occurrences and hands over each payload that holds elements, as the reader's window: a packed
 * run, or one element alone (`packed` false). The visitor leaves the reader at the end of the window or where it was.
 */
function forEachPayload(bytes: Buffer, ranges: readonly ByteRange[], visit: (reader: WireReader, packed: boolean) => void): void {
  for (const range of ranges) {
    const reader = new WireReader(bytes, contentsScope, range.start, range.end);
    while (reader.position < range.end) {
      const tag = reader.tag();
      const { field } = reader;
      const expected = elementWireType[field] ?? -1;
      const delimited = (tag & 7) === wireType.bytes;
      if (expected === -1 || ((tag & 7) !== expected && !delimited)) {
        reader.skip(tag, contentsDepth);
        continue;
      }
      const packed = delimited && expected !== wireType.bytes;
      if (delimited) reader.end = reader.length() + reader.position;
      else {
        const start = reader.position;
        reader.skip(tag, contentsDepth);
        reader.end = reader.position;
        reader.position = start;
      }
      const payloadEnd = reader.end;
      visit(reader, packed);
      reader.field = field;
      reader.end = range.end;
      reader.position = payloadEnd;
    }
  }
}
