import type { Datatype, TensorToWrite } from '@headrace/proto';
import { datatypeBytes, isDatatype } from '@headrace/proto';
import { usageFailure } from '../failure.js';
import { encodeLeaves } from './encode.js';
import type { JsonValue } from './nested.js';
import type { ModelSpec, TensorSpec } from './tensor-spec.js';

export interface RandomOptions {
  readonly rows: number;
  /** For dimensions that the model leaves open, other than the rows. */
  readonly openDim: number;
  /** Whole shapes by input name, given by the person; they win. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Both inclusive. Small by default: an id past the end of an embedding table is an error, and metadata does not tell its size. */
  readonly integers: readonly [number, number];
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** 64 MiB: what the transport carries in one message; more would only be refused after it was built. */
const maxElements = 16 * 1024 * 1024;

/** Random inputs that fit the model's metadata: floats in [0, 1), integers in the range asked for, short words for BYTES. */
export function randomInputs(spec: ModelSpec, options: RandomOptions): TensorToWrite[] {
  return spec.inputs.map((input) => {
    const leaves = randomLeaves(input, options);
    return {
      name: input.name,
      datatype: leaves.datatype,
      shape: leaves.shape,
      data: [encodeLeaves(leaves.values, leaves.datatype, leaves.shape, input.name)],
    };
  });
}

export interface RandomLeaves {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly values: readonly JsonValue[];
}

export function randomLeaves(input: TensorSpec, options: RandomOptions): RandomLeaves {
  if (!isDatatype(input.datatype))
    throw usageFailure(`${input.name}: the model asks for datatype ${JSON.stringify(input.datatype)}, which this client does not know`);
  const datatype = input.datatype;
  const shape = options.shapes.get(input.name) ?? fillShape(input.shape, options);
  const count = shape.reduce((product, dim) => product * dim, 1);
  if (count > maxElements)
    throw usageFailure(
      `${input.name}: shape [${shape.join(', ')}] has ${count} elements, at most ${maxElements} fit`,
      'give smaller sizes with --rows or --shape',
    );
  const values = Array.from({ length: count }, () => randomValue(datatype, options));
  return { datatype, shape, values };
}

function fillShape(shape: readonly number[], options: RandomOptions): number[] {
  return shape.map((dim, axis) => (dim >= 0 ? dim : axis === 0 ? options.rows : options.openDim));
}

function randomValue(datatype: Datatype, options: RandomOptions): JsonValue {
  switch (datatype) {
    case 'BOOL':
      return options.random() < 0.5;
    case 'BYTES':
      return Array.from({ length: 5 }, () => String.fromCharCode(97 + Math.floor(options.random() * 26))).join('');
    case 'FP16':
    case 'BF16':
    case 'FP32':
    case 'FP64':
      // Four digits are enough of a random number, and keep printed examples short.
      return Math.round(options.random() * 10_000) / 10_000;
    default:
      return randomInteger(datatype, options);
  }
}

function randomInteger(datatype: Datatype, { integers: [low, high], random }: RandomOptions): number {
  const bits = datatypeBytes[datatype] * 8;
  const ceiling = datatype.startsWith('U') ? 2 ** Math.min(bits, 53) - 1 : 2 ** Math.min(bits - 1, 53) - 1;
  const max = Math.min(high, ceiling);
  const min = Math.min(low, max);
  return min + Math.floor(random() * (max - min + 1));
}

/** mulberry32: 32 bits of state, enough for test data; the same seed gives the same inputs on every machine. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
