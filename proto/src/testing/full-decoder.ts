/*
 * What a ModelInferRequest or ModelInferResponse says according to a protobuf implementation that shares nothing with this package
 * (@bufbuild/protobuf, driven by the exported file descriptors).
 *
 * Protobuf's other implementations refuse some bytes that this decoder lets pass. Those rules, and no others, are
 * applied before it sees the bytes:
 *   1. a field that runs past the end of the submessage it stands in is malformed (this decoder reads on);
 *   2. a known field number with a wire type that does not belong to it is an unknown field (this decoder reads it anyway);
 *   3. a varint has at most ten bytes, also in a field that is skipped (this decoder skips any number);
 *   4. the end of a group that never began is malformed (this decoder takes it for the payload of a known field);
 *   5. a length prefix is an int32 in at most five bytes (this decoder, like Java's and Go's, reads up to ten bytes).
 * golden/verdicts.json holds what the reference implementation says of such bytes.
 */
import { create, createFileRegistry, fromBinary, ScalarType, toBinary } from '@bufbuild/protobuf';
import type { DescField, DescMessage, Message } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { fileDescriptorProtos } from '../rpc/file-descriptors.js';

const registry = createFileRegistry(
  create(FileDescriptorSetSchema, { file: fileDescriptorProtos().map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes)) }),
);

export function messageType(name: string): DescMessage {
  const type = registry.getMessage(name);
  if (!type) throw new Error(`no message ${name} among the exported descriptors`);
  return type;
}

/** Fields under their camelCase names, as the independent decoder has them. */
export type DecodedMessage = Message & Readonly<Record<string, unknown>>;

/** The message, or undefined where it is refused. */
export function decodeFully(type: DescMessage, bytes: Uint8Array): DecodedMessage | undefined {
  const clean = withoutLaxity(type, bytes);
  if (clean === undefined) return undefined;
  try {
    return fromBinary(type, clean);
  } catch {
    return undefined;
  }
}

export function encodeFully(type: DescMessage, fields: Readonly<Record<string, unknown>>): Buffer {
  return Buffer.from(toBinary(type, create(type, fields as never)));
}

/** The same bytes when rules 1 to 5 have nothing to say, the fields of rule 2 under an unknown number, or undefined when malformed. */
function withoutLaxity(type: DescMessage, bytes: Uint8Array): Uint8Array | undefined {
  try {
    return strictMessage(type, Buffer.from(bytes));
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

class Refused extends Error {}

function strictMessage(type: DescMessage, bytes: Buffer): Buffer {
  return strictFields(bytes, (number) => type.fields.find((field) => field.number === number));
}

/** Fields of one message level; `declared` says what a field number stands for. */
function strictFields(bytes: Buffer, declared: (number: number) => DescField | 'key' | DescMessage | undefined): Buffer {
  const kept: Buffer[] = [];
  let changed = false;
  for (let position = 0; position < bytes.length;) {
    const tag = readTag(bytes, position);
    const wire = Number(tag.low & 7n);
    const end = payloadEnd(bytes, tag.next, wire, tag.low >> 3n);
    const field = declared(Number(tag.low >> 3n));
    if (field === undefined) {
      kept.push(bytes.subarray(position, end));
    } else if (!wireTypes(field).includes(wire)) {
      changed = true;
      kept.push(asUnknown(bytes.subarray(tag.next, end), wire, tag.low >> 3n));
    } else {
      const start = wire === 2 ? readLength(bytes, tag.next).next : tag.next;
      const payload = bytes.subarray(start, end);
      const strict = wire === 2 ? strictPayload(field, payload) : payload;
      if (strict === payload) kept.push(bytes.subarray(position, end));
      else {
        changed = true;
        kept.push(bytes.subarray(position, tag.next), shortVarint(strict.length), strict);
      }
    }
    position = end;
  }
  return changed ? Buffer.concat(kept) : bytes;
}

function strictPayload(field: DescField | 'key' | DescMessage, payload: Buffer): Buffer {
  if (field === 'key') return payload;
  if (field.kind === 'message') return strictMessage(field, payload);
  if (field.fieldKind === 'message') return strictMessage(field.message, payload);
  if (field.fieldKind === 'map') {
    const value = field.mapKind === 'message' ? field.message : undefined;
    return strictFields(payload, (number) => (number === 1 ? 'key' : number === 2 ? value : undefined));
  }
  if (field.fieldKind === 'list') {
    if (field.listKind === 'message') return strictMessage(field.message, payload);
    const wire = elementWireType(field);
    for (let position = 0; wire !== 2 && position < payload.length;) position = payloadEnd(payload, position, wire, 0n);
  }
  return payload;
}

function wireTypes(field: DescField | 'key' | DescMessage): readonly number[] {
  if (field === 'key' || field.kind === 'message') return [2];
  if (field.fieldKind === 'map' || field.fieldKind === 'message') return [2];
  const wire = elementWireType(field);
  return field.fieldKind === 'list' ? [wire, 2] : [wire];
}

function elementWireType(field: DescField): number {
  const scalar = field.fieldKind === 'list' && field.listKind === 'message' ? undefined : field.scalar;
  switch (scalar) {
    case undefined:
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return 2;
    case ScalarType.FLOAT:
      return 5;
    case ScalarType.DOUBLE:
      return 1;
    default:
      return 0;
  }
}

/** Where the payload of a record ends; groups are walked to their end. */
function payloadEnd(bytes: Buffer, position: number, wire: number, number: bigint): number {
  let end: number;
  if (wire === 0) end = varint(bytes, position).next;
  else if (wire === 1) end = position + 8;
  else if (wire === 5) end = position + 4;
  else if (wire === 2) {
    const length = readLength(bytes, position);
    end = length.next + length.value;
  } else if (wire === 3) {
    end = groupEnd(bytes, position, number).next;
  } else throw new Refused();
  if (end > bytes.length) throw new Refused();
  return end;
}

/** Where the end tag of a group begins, and what comes after it. */
function groupEnd(bytes: Buffer, position: number, number: bigint): { start: number; next: number } {
  for (let start = position; ;) {
    const tag = readTag(bytes, start);
    if ((tag.low & 7n) === 4n && tag.low >> 3n === number) return { start, next: tag.next };
    start = payloadEnd(bytes, tag.next, Number(tag.low & 7n), tag.low >> 3n);
  }
}

/** The record of a payload under a field number that nobody declares, so that the decoder still reads and judges it. */
function asUnknown(payload: Buffer, wire: number, number: bigint): Buffer {
  const unknownTag = (type: number): Buffer => shortVarint(2 ** 32 - 8 + type);
  if (wire !== 3) return Buffer.concat([unknownTag(wire), payload]);
  return Buffer.concat([unknownTag(3), payload.subarray(0, groupEnd(payload, 0, number).start), unknownTag(4)]);
}

/** A tag, which is 32 bits in at most five bytes. */
function readTag(bytes: Buffer, position: number): { low: bigint; next: number } {
  const tag = varint(bytes, position);
  const length = tag.next - position;
  if (length > 5 || (length === 5 && (bytes[position + 4] ?? 0) > 0x0f)) throw new Refused();
  return tag;
}

function readLength(bytes: Buffer, position: number): { value: number; next: number } {
  const { low, next } = varint(bytes, position);
  const fifthByte = bytes[position + 4] ?? 0;
  if (next - position > 5 || (next - position === 5 && fifthByte > 0x07)) throw new Refused();
  return { value: Number(low), next };
}

/** A varint's low 32 bits, which is what tags and lengths are made of. */
function varint(bytes: Buffer, position: number): { low: bigint; next: number } {
  let value = 0n;
  for (let count = 0; count < 10; count++) {
    const byte = bytes[position + count];
    if (byte === undefined) throw new Refused();
    value |= BigInt(byte & 0x7f) << BigInt(7 * count);
    if (byte < 0x80) return { low: value & 0xffff_ffffn, next: position + count + 1 };
  }
  throw new Refused();
}

/** An unsigned varint of 32 bits. */
function shortVarint(length: number): Buffer {
  const bytes: number[] = [];
  let rest = length;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return Buffer.from([...bytes, rest]);
}
