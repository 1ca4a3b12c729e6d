import type { ServedDatatype } from './ort-type.js';

/** One input or output as the loaded graph declares it. */
export interface TensorSignature {
  readonly name: string;
  readonly datatype: ServedDatatype;
  /** Whole shape, batch axis included; -1 = any. */
  readonly shape: readonly number[];
}

export interface ModelSignature {
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
  /** Outputs of the graph that are no tensors (sequences, maps) and are therefore not served. */
  readonly skippedOutputs: readonly string[];
}

/** Elements of a shape; undefined when the product leaves the safe integers. */
export function elementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const dim of shape) {
    if (dim === 0) return 0;
    count *= dim;
    // Going on would lose bits; a later zero dim is caught by the check below.
    if (count > Number.MAX_SAFE_INTEGER) return shape.includes(0) ? 0 : undefined;
  }
  return count;
}
