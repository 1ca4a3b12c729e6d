import type { TensorInTransit } from '../instance/protocol.js';
import { numericView } from '../tensors/ort-type.js';
import type { TensorSignature } from '../tensors/signature.js';

/**
 * How far a batched float may lie from its single run: |a - b| <= 1e-5 + 1e-4 * max(|a|, |b|). Kernels pick other
 * blockings for other shapes, so sums are rounded in another order; a row that mixes with its neighbour is off by far
 * more. FP16 keeps three digits and gets 1e-2. Whole numbers, booleans and strings must be equal.
 */
const relative = { FP16: 1e-2, FP32: 1e-4, FP64: 1e-4 } as const;
const absolute = { FP16: 1e-2, FP32: 1e-5, FP64: 1e-5 } as const;

/**
 * Whether `pair`, the outputs of a run of two rows, is `first` and `second`, the outputs of those rows alone. Undefined
 * when it is; otherwise why not, naming the output, what was expected and what came.
 */
export function rowMismatch(
  declared: readonly TensorSignature[],
  pair: readonly TensorInTransit[],
  first: readonly TensorInTransit[],
  second: readonly TensorInTransit[],
): string | undefined {
  for (const [index, output] of declared.entries()) {
    const [both, one, two] = [pair[index], first[index], second[index]];
    if (both === undefined || one === undefined || two === undefined) return `output ${JSON.stringify(output.name)} is missing`;
    const mismatch = shapeMismatch(both.shape, one.shape, two.shape) ?? valueMismatch(output, both, one, two);
    if (mismatch !== undefined) return `output ${JSON.stringify(output.name)} ${mismatch}`;
  }
  return undefined;
}

function shapeMismatch(both: readonly number[], one: readonly number[], two: readonly number[]): string | undefined {
  const expected = [2, ...one.slice(1)];
  const fits = one[0] === 1 && String(one) === String(two) && String(both) === String(expected);
  return fits ? undefined : `has shape [${both.join(',')}] for two rows, expected [${expected.join(',')}] from [${one.join(',')}] for one`;
}

function valueMismatch(output: TensorSignature, both: TensorInTransit, one: TensorInTransit, two: TensorInTransit): string | undefined {
  const alone = Buffer.concat([Buffer.from(one.buffer, 0, one.byteLength), Buffer.from(two.buffer, 0, two.byteLength)]);
  const together = Buffer.from(both.buffer, 0, both.byteLength);
  if (together.equals(alone)) return undefined;
  const { datatype } = output;
  if (datatype !== 'FP16' && datatype !== 'FP32' && datatype !== 'FP64') return 'differs between two rows at once and two single runs';
  const copy = alone.buffer.slice(alone.byteOffset, alone.byteOffset + alone.byteLength);
  const expected = numericView(datatype, copy, copy.byteLength);
  const got = numericView(datatype, both.buffer, both.byteLength);
  for (let index = 0; index < expected.length; index++) {
    const a = real(datatype, expected[index] as number);
    const b = real(datatype, got[index] as number);
    const near = Object.is(a, b) || Math.abs(a - b) <= absolute[datatype] + relative[datatype] * Math.max(Math.abs(a), Math.abs(b));
    if (!near) return `differs at element ${index} of two rows at once: expected ${a} as in the single run, got ${b}`;
  }
  return undefined;
}

function real(datatype: 'FP16' | 'FP32' | 'FP64', value: number): number {
  return datatype === 'FP16' ? halfValue(value) : value;
}

/** The value of IEEE 754 half bits. */
export function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
