/*
 * A protobuf message as a tree of records that can be changed and written again, byte by byte as wanted: what an encoder
 * would never write (over-long varints, a message in pieces, groups) included.
 */

/** Which fields of a message hold messages; the others are left as they are. */
export interface WireShape {
  readonly messages?: Readonly<Record<number, WireShape>>;
  /** Fields that may be packed: the wire type of one element. */
  readonly packable?: Readonly<Record<number, 0 | 1 | 5>>;
}

export type WireRecord = { field: number; tagPadding: number; lengthPadding: number } & (
  | { kind: 'varint'; value: bigint; padding: number }
  | { kind: 'fixed'; bytes: Buffer }
  | { kind: 'bytes'; bytes: Buffer }
  | { kind: 'message'; records: WireRecord[]; shape: WireShape }
  | { kind: 'group'; records: WireRecord[] }
);

const parameterShape: WireShape = { messages: { 2: {} } };
const tensorShape: WireShape = {
  packable: { 3: 0 },
  messages: { 4: parameterShape, 5: { packable: { 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 5, 7: 1 } } },
};
export const requestShape: WireShape = {
  messages: { 4: parameterShape, 5: tensorShape, 6: { messages: { 2: parameterShape } } },
};
export const responseShape: WireShape = { messages: { 4: parameterShape, 5: tensorShape } };

/** A varint in as few bytes as it needs, and `padding` bytes more that say nothing. */
export function varintBytes(value: bigint, padding = 0): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  } while (rest > 0n);
  for (let index = 0; index < padding; index++) bytes.push(0x80);
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) & 0x7f;
  return Buffer.from(bytes);
}

function readVarint(bytes: Buffer, position: number): { value: bigint; next: number } {
  let value = 0n;
  let shift = 0n;
  for (let next = position; next < bytes.length; next++) {
    const byte = bytes[next] as number;
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), next: next + 1 };
  }
  throw new Error('a cut varint in a message that should be whole');
}

/** Reads a message that is known to be whole and to hold no groups. */
export function parseTree(bytes: Buffer, shape: WireShape): WireRecord[] {
  const records: WireRecord[] = [];
  for (let position = 0; position < bytes.length;) {
    const tag = readVarint(bytes, position);
    const common = { field: Number(tag.value >> 3n), tagPadding: 0, lengthPadding: 0 };
    const wire = Number(tag.value & 7n);
    if (wire === 0) {
      const varint = readVarint(bytes, tag.next);
      records.push({ ...common, kind: 'varint', value: varint.value, padding: 0 });
      position = varint.next;
    } else if (wire === 1 || wire === 5) {
      position = tag.next + (wire === 1 ? 8 : 4);
      records.push({ ...common, kind: 'fixed', bytes: bytes.subarray(tag.next, position) });
    } else {
      const length = readVarint(bytes, tag.next);
      position = length.next + Number(length.value);
      const payload = bytes.subarray(length.next, position);
      const inner = shape.messages?.[common.field];
      if (inner) records.push({ ...common, kind: 'message', shape: inner, records: parseTree(payload, inner) });
      else records.push({ ...common, kind: 'bytes', bytes: payload });
    }
  }
  return records;
}

export function writeTree(records: readonly WireRecord[]): Buffer {
  return Buffer.concat(records.map(writeRecord));
}

function writeRecord(record: WireRecord): Buffer {
  const tag = (wire: number): Buffer => varintBytes((BigInt(record.field) << 3n) | BigInt(wire), record.tagPadding);
  const delimited = (payload: Buffer): Buffer =>
    Buffer.concat([tag(2), varintBytes(BigInt(payload.length), record.lengthPadding), payload]);
  switch (record.kind) {
    case 'varint':
      return Buffer.concat([tag(0), varintBytes(record.value, record.padding)]);
    case 'fixed':
      return Buffer.concat([tag(record.bytes.length === 8 ? 1 : 5), record.bytes]);
    case 'bytes':
      return delimited(record.bytes);
    case 'message':
      return delimited(writeTree(record.records));
    case 'group':
      return Buffer.concat([tag(3), writeTree(record.records), tag(4)]);
  }
}

/** Elements of a packed field, one by one, or none where the bytes are not whole elements. */
export function unpack(bytes: Buffer, wire: 0 | 1 | 5): Buffer[] {
  const elements: Buffer[] = [];
  let next = 0;
  for (let position = 0; position < bytes.length; position = next) {
    if (wire === 0) {
      next = position;
      while (next < bytes.length && (bytes[next] as number) >= 0x80) next++;
      next++;
    } else next = position + (wire === 1 ? 8 : 4);
    if (next > bytes.length) return [];
    elements.push(bytes.subarray(position, next));
  }
  return elements;
}
