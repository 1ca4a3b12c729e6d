import type { Datatype } from '@headrace/proto';

/** Element types as onnxruntime-node names them in `inputMetadata`. */
export type OrtType =
  | 'bool'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'float16'
  | 'float32'
  | 'float64'
  | 'string';

/** Every datatype that onnxruntime-node carries bit for bit. BF16 is missing: its JavaScript tensors have no such type. */
export const servedDatatypes = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
} as const satisfies Partial<Record<Datatype, OrtType>>;

export type ServedDatatype = keyof typeof servedDatatypes;

/** TensorProto.DataType of the ONNX specification (onnx/onnx.proto), as far as a model can declare it. */
const onnxElementTypes: ReadonlyMap<number, { readonly name: string; readonly datatype?: ServedDatatype }> = new Map([
  [1, { name: 'FLOAT', datatype: 'FP32' as const }],
  [2, { name: 'UINT8', datatype: 'UINT8' as const }],
  [3, { name: 'INT8', datatype: 'INT8' as const }],
  [4, { name: 'UINT16', datatype: 'UINT16' as const }],
  [5, { name: 'INT16', datatype: 'INT16' as const }],
  [6, { name: 'INT32', datatype: 'INT32' as const }],
  [7, { name: 'INT64', datatype: 'INT64' as const }],
  [8, { name: 'STRING', datatype: 'BYTES' as const }],
  [9, { name: 'BOOL', datatype: 'BOOL' as const }],
  [10, { name: 'FLOAT16', datatype: 'FP16' as const }],
  [11, { name: 'DOUBLE', datatype: 'FP64' as const }],
  [12, { name: 'UINT32', datatype: 'UINT32' as const }],
  [13, { name: 'UINT64', datatype: 'UINT64' as const }],
  [14, { name: 'COMPLEX64' }],
  [15, { name: 'COMPLEX128' }],
  [16, { name: 'BFLOAT16' }],
  [17, { name: 'FLOAT8E4M3FN' }],
  [18, { name: 'FLOAT8E4M3FNUZ' }],
  [19, { name: 'FLOAT8E5M2' }],
  [20, { name: 'FLOAT8E5M2FNUZ' }],
  [21, { name: 'UINT4' }],
  [22, { name: 'INT4' }],
  [23, { name: 'FLOAT4E2M1' }],
]);

/** The datatype of an ONNX element type, or the type's name when no exact carrier exists. */
export function datatypeOfOnnx(elementType: number): { readonly datatype: ServedDatatype } | { readonly unsupported: string } {
  const entry = onnxElementTypes.get(elementType);
  if (entry?.datatype !== undefined) return { datatype: entry.datatype };
  return { unsupported: entry?.name ?? `ONNX element type ${elementType}` };
}

export type NumericArray =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

const views: Record<
  Exclude<ServedDatatype, 'BYTES'>,
  { new (buffer: ArrayBuffer, byteOffset: number, length: number): NumericArray; readonly BYTES_PER_ELEMENT: number }
> = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  // Node 20 has no Float16Array; onnxruntime-node takes and gives the bits.
  FP16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
};

/**
 * Elements over `byteLength` bytes of a buffer, without a copy; `byteOffset` is divisible by 8. Little-endian by the host: the protocol's
 * raw order is that of every platform onnxruntime-node ships for (x64, arm64).
 */
export function numericView(
  datatype: Exclude<ServedDatatype, 'BYTES'>,
  buffer: ArrayBuffer,
  byteLength: number,
  byteOffset = 0,
): NumericArray {
  const View = views[datatype];
  return new View(buffer, byteOffset, byteLength / View.BYTES_PER_ELEMENT);
}
