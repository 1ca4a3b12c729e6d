/**
 * The datatypes of the Open Inference Protocol v2 (plus Triton's BF16) and their element sizes.
 */
export const datatypeBytes = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  BF16: 2,
  FP32: 4,
  FP64: 8,
  /** Variable: each element is a 4-byte little-endian length and that many bytes. */
  BYTES: 0,
} as const;

export type Datatype = keyof typeof datatypeBytes;

export function isDatatype(name: string): name is Datatype {
  return Object.hasOwn(datatypeBytes, name);
}
