/*
 * Reading protobuf's wire format (https://protobuf.dev/programming-guides/encoding/) in place.
 *
 *     record = tag, payload          tag = (field number << 3 | wire type) as a varint
 *
 * The reader walks one window [position, end) of the bytes; a submessage is read by narrowing `end` and putting it back.
 */
import { decodeString } from './text.js';

export const wireType = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

/** Messages and groups may be nested this deep, the whole message being depth 1. Protobuf's own default. */
const maxDepth = 100;

/**
 * How many records that become objects (tensors, dims, parameters, ...) one message may have in all. A model with 4,000
 * inputs of 4 dims needs 4,000 x (1 input + 4 dims + 1 raw) = 24,000; 64 MiB of empty submessages would be 33 million.
 */
export const maxEntries = 65_536;

/** The bytes are no message of the expected type. Stays inside this package: scans give it back as a ScanFailure. */
export class MalformedMessage extends Error {}

/** Where in the message type the reader is, for error texts. */
export interface Scope {
  /** Path from the message, e.g. 'inputs'. */
  readonly path: string;
  /** Field names by field number. */
  readonly fields: readonly string[];
}

export class WireReader {
  readonly bytes: Buffer;
  position: number;
  end: number;
  /** Field number of the last tag. */
  field = 0;
  scope: Scope;
  /** Which element of a repeated scope, or -1. */
  index = -1;
  /** The first dimension of the tensor under way that no safe integer can hold, for the message. */
  wideDim: bigint | undefined;
  /** Words of the last 64-bit value, as int32. */
  private low = 0;
  private high = 0;
  private entries = 0;

  constructor(bytes: Buffer, scope: Scope, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.scope = scope;
    this.position = start;
    this.end = end;
  }

  /** Counts one record that becomes an object. */
  spendEntry(): void {
    if (++this.entries > maxEntries) {
      this.fail(`expected at most ${maxEntries} tensors, dimensions and parameters in all, got more`);
    }
  }

  /** The next tag. Call only while position < end. */
  tag(): number {
    const first = this.bytes[this.position] as number;
    let tag = first;
    if (first < 0x80) this.position++;
    else {
      const start = this.position;
      tag = this.uint32();
      // A tag is a uint32: five bytes, and no more than four bits in the fifth.
      const length = this.position - start;
      if (length > 5 || (length === 5 && (this.bytes[this.position - 1] as number) > 0x0f))
        this.fail('expected a tag of 32 bits, got a longer one');
    }
    this.field = tag >>> 3;
    if (this.field === 0) this.fail('expected a field number from 1, got 0');
    if ((tag & 7) > wireType.fixed32) this.fail(`expected a wire type from 0 to 5, got ${tag & 7}`);
    return tag;
  }

  /** Low 32 bits of a varint of up to ten bytes: an over-long one is read like any other. */
  uint32(): number {
    const { bytes, end } = this;
    let position = this.position;
    if (position >= end) this.truncated();
    let byte = bytes[position++] as number;
    if (byte < 0x80) {
      this.position = position;
      return byte;
    }
    let value = byte & 0x7f;
    for (let shift = 7; shift < 70; shift += 7) {
      if (position >= end) this.truncated();
      byte = bytes[position++] as number;
      // Shift counts wrap at 32 in JavaScript, hence the bound: bits from 32 on are dropped.
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.position = position;
        return value >>> 0;
      }
    }
    return this.fail('expected a varint of at most 10 bytes, got a longer one');
  }

  /** Reads a varint of 64 bits into `low` and `high`. */
  private varint64(): void {
    const { bytes, end } = this;
    let position = this.position;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (position >= end) this.truncated();
      const byte = bytes[position++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.position = position;
        this.low = low;
        this.high = high;
        return;
      }
    }
    this.fail('expected a varint of at most 10 bytes, got a longer one');
  }

  bool(): boolean {
    this.varint64();
    return this.low !== 0 || this.high !== 0;
  }

  int64(): bigint {
    this.varint64();
    if (this.high === 0) return BigInt(this.low >>> 0);
    return (BigInt(this.high) << 32n) | BigInt(this.low >>> 0);
  }

  uint64(): bigint {
    this.varint64();
    if (this.high === 0) return BigInt(this.low >>> 0);
    return (BigInt(this.high >>> 0) << 32n) | BigInt(this.low >>> 0);
  }

  /** All bits of the int64 that int64AsNumber read last, when that was not a safe integer. */
  lastInt64(): bigint {
    return (BigInt(this.high) << 32n) | BigInt(this.low >>> 0);
  }

  /** An int64 as a number. Exact from -2^53 to 2^53; outside it is only known to lie outside. */
  int64AsNumber(): number {
    const { position } = this;
    if (position < this.end) {
      const byte = this.bytes[position] as number;
      if (byte < 0x80) {
        this.position = position + 1;
        return byte;
      }
    }
    this.varint64();
    return this.high * 0x1_0000_0000 + (this.low >>> 0);
  }

  /** Copies a 64-bit varint into `target` at `offset`, little-endian. */
  copyVarint64(target: Buffer, offset: number): void {
    this.varint64();
    target.writeInt32LE(this.low, offset);
    target.writeInt32LE(this.high, offset + 4);
  }

  double(): number {
    const start = this.position;
    this.advance(8);
    return this.bytes.readDoubleLE(start);
  }

  /** A length prefix; the payload is [position, position + length), which lies in the window. */
  length(): number {
    const start = this.position;
    const length = this.uint32();
    // An int32 in at most five bytes, padding included, as upb has it: the fifth byte brings bits 28 to 30.
    const prefixBytes = this.position - start;
    if (prefixBytes > 5 || (prefixBytes === 5 && (this.bytes[this.position - 1] as number) > 0x07)) {
      this.fail('expected a length of at most 2^31 - 1 in at most 5 bytes, got a longer one');
    }
    if (length > this.end - this.position) this.fail(`expected ${length} bytes, got ${this.end - this.position}`);
    return length;
  }

  /** Moves past `count` bytes. */
  advance(count: number): void {
    if (count > this.end - this.position) this.truncated();
    this.position += count;
  }

  string(): string {
    const length = this.length();
    const start = this.position;
    this.position = start + length;
    const text = decodeString(this.bytes, start, this.position);
    if (text === undefined) this.fail('expected UTF-8, got other bytes');
    return text;
  }

  /** Skips the payload of a record; `depth` is that of the message it stands in. */
  skip(tag: number, depth: number): void {
    switch (tag & 7) {
      case wireType.varint:
        this.uint32();
        return;
      case wireType.fixed64:
        this.advance(8);
        return;
      case wireType.bytes:
        this.advance(this.length());
        return;
      case wireType.fixed32:
        this.advance(4);
        return;
      case wireType.startGroup:
        this.skipGroup(tag >>> 3, depth + 1);
        return;
      default:
        this.fail('expected a field, got the end of a group that never began');
    }
  }

  private skipGroup(number: number, depth: number): void {
    if (depth > maxDepth) this.fail(`expected at most ${maxDepth} levels of nesting, got more`);
    for (;;) {
      if (this.position >= this.end) this.truncated();
      const tag = this.tag();
      if ((tag & 7) !== wireType.endGroup) this.skip(tag, depth);
      else if (tag >>> 3 === number) return;
      else this.fail(`expected the end of group ${number}, got that of group ${tag >>> 3}`);
    }
  }

  private truncated(): never {
    return this.fail('expected more bytes, got the end');
  }

  fail(reason: string): never {
    const element = this.index >= 0 ? `[${this.index}]` : '';
    const name = this.scope.fields[this.field] ?? `field ${this.field}`;
    const place = [this.scope.path + element, name].filter((part) => part !== '').join('.');
    throw new MalformedMessage(`${place}: ${reason} (at byte ${this.position} of ${this.bytes.length})`);
  }
}
