import type { Datatype, TensorToWrite } from '@headrace/proto';
import type { Leaf } from '../input/decode.js';
import { decodeElements } from '../input/decode.js';
import type { ModelSpec } from '../input/tensor-spec.js';
import { hasRowDimension } from '../input/tensor-spec.js';
import { randomInputs, seededRandom } from '../input/random.js';

/** Inputs that a model takes, for the commands that are printed to be pasted. */
export interface Example {
  readonly model: string;
  readonly tensors: readonly ExampleTensor[];
  /** A file that holds them already, as the person at this prompt would write its name. */
  readonly file: string | undefined;
}

export interface ExampleTensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly leaves: readonly Leaf[];
}

/** Sizes tried for dimensions that the metadata leaves open, until the model takes one. */
export const openDims = [4, 1, 16, 8, 32, 64, 128] as const;

/** The same inputs each time: an example that changes at every start looks like a mistake. */
export function exampleTensors(spec: ModelSpec, openDim: number): TensorToWrite[] {
  return randomInputs(spec, { rows: 1, openDim, shapes: new Map(), integers: [0, 1], random: seededRandom(7) });
}

/** Whether there is anything to vary. */
export function hasOpenDims(spec: ModelSpec): boolean {
  const skip = hasRowDimension(spec.inputs) ? 1 : 0;
  return spec.inputs.some((input) => input.shape.slice(skip).some((dim) => dim < 0));
}

export function toExample(model: string, tensors: readonly TensorToWrite[], file?: string): Example {
  return {
    model,
    file,
    tensors: tensors.map(({ name, datatype, shape, data }) => ({
      name,
      datatype,
      shape,
      leaves: decodeElements(Buffer.concat(data), datatype),
    })),
  };
}

export type Nested = Leaf | readonly Nested[];

/** Leaves back into nested lists. A zero-sized dimension gives empty lists as far as lists can say it. */
export function nest(leaves: readonly Leaf[], shape: readonly number[]): Nested {
  const [size, ...rest] = shape;
  if (size === undefined) return leaves[0] ?? [];
  const stride = rest.reduce((product, dim) => product * dim, 1);
  return Array.from({ length: size }, (_, index) => nest(leaves.slice(index * stride, (index + 1) * stride), rest));
}

/** `{"x": [[1, 2]]}`, or OIP JSON where nested lists cannot tell the shape (a zero-sized dimension before the last). */
export function exampleJson(example: Example): string {
  if (example.tensors.some(({ shape }) => shape.slice(0, -1).includes(0))) {
    return JSON.stringify({
      inputs: example.tensors.map(({ name, datatype, shape, leaves }) => ({ name, datatype, shape, data: leaves })),
    });
  }
  return JSON.stringify(Object.fromEntries(example.tensors.map(({ name, leaves, shape }) => [name, nest(leaves, shape)])));
}
