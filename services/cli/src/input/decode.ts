import { isUtf8 } from 'node:buffer';
import type { Datatype } from '@headrace/proto';
import { datatypeBytes } from '@headrace/proto';
import { fromBrain, fromHalf } from './half.js';

/** An element as JSON can carry it without loss: see encodeLeaves for the spellings. */
export type Leaf = boolean | number | string | { readonly b64: string };

/** Raw little-endian bytes -> elements. Throws an Error when the bytes do not hold whole elements. */
export function decodeElements(raw: Buffer, datatype: Datatype): Leaf[] {
  if (datatype === 'BYTES') return decodeBytes(raw);
  const size = datatypeBytes[datatype];
  if (raw.length % size !== 0) throw new Error(`${raw.length} bytes are not a multiple of ${size} (${datatype})`);
  const read = readers[datatype];
  return Array.from({ length: raw.length / size }, (_, index) => read(raw, index));
}

const readers: Readonly<Record<Exclude<Datatype, 'BYTES'>, (raw: Buffer, index: number) => Leaf>> = {
  BOOL: (raw, index) => raw[index] !== 0,
  UINT8: (raw, index) => raw.readUInt8(index),
  UINT16: (raw, index) => raw.readUInt16LE(index * 2),
  UINT32: (raw, index) => raw.readUInt32LE(index * 4),
  UINT64: (raw, index) => exact(raw.readBigUInt64LE(index * 8)),
  INT8: (raw, index) => raw.readInt8(index),
  INT16: (raw, index) => raw.readInt16LE(index * 2),
  INT32: (raw, index) => raw.readInt32LE(index * 4),
  INT64: (raw, index) => exact(raw.readBigInt64LE(index * 8)),
  FP16: (raw, index) => finite(fromHalf(raw.readUInt16LE(index * 2))),
  BF16: (raw, index) => finite(fromBrain(raw.readUInt16LE(index * 2))),
  FP32: (raw, index) => finite(shortest(raw.readFloatLE(index * 4))),
  FP64: (raw, index) => finite(raw.readDoubleLE(index * 8)),
};

function exact(value: bigint): Leaf {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);
}

function finite(value: number): Leaf {
  return Number.isFinite(value) ? value : String(value);
}

/** The shortest decimal that reads back as the same float32: 0.1 and not 0.10000000149011612. */
function shortest(value: number): number {
  for (let digits = 6; digits <= 9; digits += 1) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return value;
}

function decodeBytes(raw: Buffer): Leaf[] {
  const elements: Leaf[] = [];
  for (let at = 0; at < raw.length;) {
    const start = at + 4;
    const end = start <= raw.length ? start + raw.readUInt32LE(at) : Infinity;
    if (end > raw.length) throw new Error(`BYTES element ${elements.length} runs past the end of its ${raw.length} bytes`);
    const element = raw.subarray(start, end);
    elements.push(isUtf8(element) ? element.toString('utf8') : { b64: element.toString('base64') });
    at = end;
  }
  return elements;
}
