import { datatypeBytes } from '@headrace/proto';
import type { WarmupSetting } from '../config/settings.js';
import type { TensorInTransit } from '../instance/protocol.js';
import { encodeStrings } from '../tensors/bytes-codec.js';
import { numericView } from '../tensors/ort-type.js';
import type { ModelSignature, TensorSignature } from '../tensors/signature.js';
import { elementCount } from '../tensors/signature.js';

/** A dimension that the graph leaves open and nobody stated. */
const openDim = 4;
/** Inputs are made up for a check, not for a load test: a graph that asks for more than this needs stated shapes. */
const maxMadeUpBytes = 256 * 1024 * 1024;

/**
 * Random inputs that any sane graph accepts: reals in [0, 1), whole numbers 0 or 1 (they may be indices), short ASCII
 * strings. `rows` is the first dimension of a batchable model, undefined where there is none.
 *
 * @throws Error when the shapes are too large to make up.
 */
export function madeUpInputs(
  signature: ModelSignature,
  rows: number | undefined,
  random: () => number,
  stated?: WarmupSetting,
): TensorInTransit[] {
  return signature.inputs.map((declared) => {
    const given = stated?.inputs.get(declared.name);
    const rest = given?.shape ?? declared.shape.slice(rows === undefined ? 0 : 1).map((dim) => (dim === -1 ? openDim : dim));
    const shape = rows === undefined ? [...rest] : [rows, ...rest];
    const elements = elementCount(shape);
    if (elements === undefined || elements * Math.max(4, datatypeBytes[declared.datatype]) > maxMadeUpBytes) {
      throw new Error(`input ${JSON.stringify(declared.name)}: shape [${shape.join(',')}] is too large to make up data for`);
    }
    return { ...fill(declared, elements, given?.fill === 'zero' ? () => 0 : random), shape };
  });
}

function fill(
  { datatype }: TensorSignature,
  elements: number,
  random: () => number,
): { readonly buffer: ArrayBuffer; readonly byteLength: number } {
  if (datatype === 'BYTES') {
    const buffer = encodeStrings(Array.from({ length: elements }, () => (random() < 0.5 ? 'a' : 'b')));
    return { buffer, byteLength: buffer.byteLength };
  }
  const byteLength = elements * datatypeBytes[datatype];
  const buffer = new ArrayBuffer(byteLength);
  const values = numericView(datatype, buffer, byteLength);
  for (let index = 0; index < elements; index++) {
    const value = random();
    if (values instanceof BigInt64Array || values instanceof BigUint64Array) values[index] = value < 0.5 ? 0n : 1n;
    else if (datatype === 'FP16') values[index] = halfBits(value);
    else if (datatype === 'FP32' || datatype === 'FP64') values[index] = value;
    else values[index] = value < 0.5 ? 0 : 1;
  }
  return { buffer, byteLength };
}

/** Bits of the IEEE 754 half at or just below a value in [0, 1), cut to multiples of 1/1024. */
function halfBits(value: number): number {
  const steps = Math.floor(value * 1024);
  if (steps === 0) return 0;
  const exponent = Math.floor(Math.log2(steps));
  return ((exponent + 5) << 10) | ((steps << (10 - exponent)) & 0x3ff);
}

/** mulberry32: small, seeded, good enough to tell rows apart. The same seed makes a failed check repeatable. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
