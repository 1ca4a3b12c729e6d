/** Tensors as the Python programs of test/clients take and print them: data flat, in row-major order. */
export interface JsonTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | string | boolean)[];
}

export function fp32(name: string, rows: readonly (readonly number[])[]): JsonTensor {
  return { name, datatype: 'FP32', shape: [rows.length, rows[0]?.length ?? 0], data: rows.flat() };
}

/** Raw little-endian bytes of 32-bit floats. */
export function fp32Bytes(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeFloatLE(value, index * 4));
  return bytes;
}

/** The inverse of fp32Bytes; copies, so that the bytes need no alignment. */
export function fp32Values(bytes: Uint8Array): readonly number[] {
  const view = Buffer.from(bytes);
  return Array.from({ length: view.length / 4 }, (_, index) => view.readFloatLE(index * 4));
}

/** n numbers between 0 and 1 that 32-bit floats hold exactly: k / 256. */
export function exactFractions(n: number, seed = 1): readonly number[] {
  return Array.from({ length: n }, (_, index) => ((index * 37 + seed * 101) % 256) / 256);
}
