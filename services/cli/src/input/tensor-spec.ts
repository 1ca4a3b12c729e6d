/** One input or output as ModelMetadata tells it. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: string;
  /** -1 = any size. The first dimension is the batch where the model has one. */
  readonly shape: readonly number[];
}

/** A model's signature: what it takes and what it gives. */
export interface ModelSpec {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** e.g. "INT64 [rows, any]": a leading -1 reads as rows when every input has one. */
export function describeTensor(spec: TensorSpec): string {
  return `${spec.datatype} ${describeShape(spec.shape)}`;
}

export function describeShape(shape: readonly number[]): string {
  return `[${shape.map((dim) => (dim < 0 ? 'any' : String(dim))).join(', ')}]`;
}

/** The first dimension is a number of rows when every input leaves it open. */
export function hasRowDimension(inputs: readonly TensorSpec[]): boolean {
  return inputs.length > 0 && inputs.every((input) => (input.shape[0] ?? 0) < 0);
}
