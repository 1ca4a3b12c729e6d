import type { Datatype } from '@headrace/proto';
import { datatypeBytes } from '@headrace/proto';
import { usageFailure } from '../failure.js';
import { toBrain, toHalf } from './half.js';
import type { JsonValue } from './nested.js';
import { describe, pathOfLeaf } from './nested.js';

const integerRange: Readonly<Partial<Record<Datatype, readonly [bigint, bigint]>>> = {
  UINT8: [0n, 255n],
  UINT16: [0n, 65_535n],
  UINT32: [0n, 4_294_967_295n],
  UINT64: [0n, 2n ** 64n - 1n],
  INT8: [-128n, 127n],
  INT16: [-32_768n, 32_767n],
  INT32: [-(2n ** 31n), 2n ** 31n - 1n],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
};

/**
 * JSON leaves -> the little-endian bytes of raw_input_contents, element by element in row-major order.
 * Integers past 2^53 are written as strings, as in proto3 JSON, since a JSON number that large has already been rounded
 * by its reader; floats take "NaN", "Infinity" and "-Infinity"; BYTES take text, or {"b64": "..."} for what is not text.
 * Throws a usage failure naming the element.
 */
export function encodeLeaves(leaves: readonly JsonValue[], datatype: Datatype, shape: readonly number[], path: string): Buffer {
  if (datatype === 'BYTES') return encodeBytes(leaves, shape, path);
  const bytes = Buffer.alloc(leaves.length * datatypeBytes[datatype]);
  const write = writers[datatype];
  leaves.forEach((leaf, index) => {
    const problem = write(bytes, index, leaf);
    if (problem !== undefined) {
      throw usageFailure(`${pathOfLeaf(path, shape, index)}: expected ${problem} (${datatype}), got ${describe(leaf)}`);
    }
  });
  return bytes;
}

/** Writes element `index`, or says what was expected. */
type WriteElement = (bytes: Buffer, index: number, leaf: JsonValue) => string | undefined;

const writers: Readonly<Record<Exclude<Datatype, 'BYTES'>, WriteElement>> = {
  BOOL: (bytes, index, leaf) => {
    if (typeof leaf !== 'boolean' && leaf !== 0 && leaf !== 1) return 'true or false';
    bytes[index] = Number(leaf);
    return undefined;
  },
  UINT8: integer('UINT8', (bytes, index, value) => bytes.writeUInt8(Number(value), index)),
  UINT16: integer('UINT16', (bytes, index, value) => bytes.writeUInt16LE(Number(value), index * 2)),
  UINT32: integer('UINT32', (bytes, index, value) => bytes.writeUInt32LE(Number(value), index * 4)),
  UINT64: integer('UINT64', (bytes, index, value) => bytes.writeBigUInt64LE(value, index * 8)),
  INT8: integer('INT8', (bytes, index, value) => bytes.writeInt8(Number(value), index)),
  INT16: integer('INT16', (bytes, index, value) => bytes.writeInt16LE(Number(value), index * 2)),
  INT32: integer('INT32', (bytes, index, value) => bytes.writeInt32LE(Number(value), index * 4)),
  INT64: integer('INT64', (bytes, index, value) => bytes.writeBigInt64LE(value, index * 8)),
  FP16: float((bytes, index, value) => bytes.writeUInt16LE(toHalf(value), index * 2)),
  BF16: float((bytes, index, value) => bytes.writeUInt16LE(toBrain(value), index * 2)),
  FP32: float((bytes, index, value) => bytes.writeFloatLE(value, index * 4)),
  FP64: float((bytes, index, value) => bytes.writeDoubleLE(value, index * 8)),
};

function integer(datatype: Datatype, write: (bytes: Buffer, index: number, value: bigint) => void): WriteElement {
  const [min, max] = integerRange[datatype] ?? [0n, 0n];
  return (bytes, index, leaf) => {
    const value = toInteger(leaf);
    if (value === 'inexact') return 'an integer past 2^53 in quotes, since a JSON number that large is not exact';
    if (value === undefined) return 'an integer';
    if (value < min || value > max) return `an integer in ${min}..${max}`;
    write(bytes, index, value);
    return undefined;
  };
}

function toInteger(leaf: JsonValue): bigint | 'inexact' | undefined {
  if (typeof leaf === 'number') {
    if (!Number.isInteger(leaf)) return undefined;
    return Number.isSafeInteger(leaf) ? BigInt(leaf) : 'inexact';
  }
  return typeof leaf === 'string' && /^-?\d{1,20}$/.test(leaf) ? BigInt(leaf) : undefined;
}

const namedFloats: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity: Infinity, '-Infinity': -Infinity };

function float(write: (bytes: Buffer, index: number, value: number) => void): WriteElement {
  return (bytes, index, leaf) => {
    const value =
      typeof leaf === 'number' ? leaf : typeof leaf === 'string' && Object.hasOwn(namedFloats, leaf) ? namedFloats[leaf] : undefined;
    if (value === undefined) return 'a number, "NaN", "Infinity" or "-Infinity"';
    write(bytes, index, value);
    return undefined;
  };
}

function encodeBytes(leaves: readonly JsonValue[], shape: readonly number[], path: string): Buffer {
  const parts: Buffer[] = [];
  leaves.forEach((leaf, index) => {
    const element = bytesOf(leaf);
    if (element === undefined) {
      throw usageFailure(`${pathOfLeaf(path, shape, index)}: expected text or {"b64": "..."} (BYTES), got ${describe(leaf)}`);
    }
    const length = Buffer.alloc(4);
    length.writeUInt32LE(element.length);
    parts.push(length, element);
  });
  return Buffer.concat(parts);
}

function bytesOf(leaf: JsonValue): Buffer | undefined {
  if (typeof leaf === 'string') return Buffer.from(leaf, 'utf8');
  if (leaf === null || typeof leaf !== 'object' || Array.isArray(leaf)) return undefined;
  const encoded = (leaf as { readonly [key: string]: JsonValue })['b64'];
  return typeof encoded === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(encoded) ? Buffer.from(encoded, 'base64') : undefined;
}
