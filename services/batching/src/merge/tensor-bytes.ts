import type { Datatype } from '@headrace/proto';
import { datatypeBytes } from '@headrace/proto';

/** Where the 4-byte little-endian lengths of BYTES elements lead out of their tensor. */
export type CutElement =
  /** No room for the length of the element, which begins at `atByte` of the tensor. */
  | { readonly kind: 'length-cut'; readonly element: number; readonly atByte: number }
  /** The element says `lengthBytes`, and only `gotBytes` follow. */
  | { readonly kind: 'element-cut'; readonly element: number; readonly lengthBytes: number; readonly gotBytes: number };

/** Why bytes are not exactly so many elements of a datatype. */
export type BytesMismatch =
  | CutElement
  /** Fixed-size elements need another number of bytes. */
  | { readonly kind: 'size'; readonly expectedBytes: number; readonly gotBytes: number }
  /** BYTES: all elements are there, in `usedBytes`, and something follows them. */
  | { readonly kind: 'left-over'; readonly elements: number; readonly usedBytes: number; readonly leftBytes: number };

/**
 * Whether `bytes` from `start` up to `end` are exactly `elements` elements: undefined, or what is wrong. Fixed sizes by
 * arithmetic, BYTES by walking the lengths, each checked against the end. Nothing is allocated unless something is wrong:
 * this is asked of every input of every request that might join a batch.
 */
export function findBytesMismatch(
  datatype: Datatype,
  elements: number,
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
): BytesMismatch | undefined {
  const gotBytes = end - start;
  if (datatype !== 'BYTES') {
    const expectedBytes = elements * datatypeBytes[datatype];
    return gotBytes === expectedBytes ? undefined : { kind: 'size', expectedBytes, gotBytes };
  }
  const at = skipElements(bytes, start, end, elements);
  if (typeof at !== 'number') return at;
  return at === end ? undefined : { kind: 'left-over', elements, usedBytes: at - start, leftBytes: end - at };
}

/** What was expected of the bytes of a tensor of this datatype and shape, and what came. */
export function describeMismatch(wrong: BytesMismatch, datatype: Datatype, shape: readonly number[]): string {
  switch (wrong.kind) {
    case 'size':
      return `expected ${wrong.expectedBytes} bytes for ${datatype} [${shape.join()}], got ${wrong.gotBytes}`;
    case 'length-cut':
      return `expected the length of BYTES element ${wrong.element} at byte ${wrong.atByte}, got the end`;
    case 'element-cut':
      return `expected ${wrong.lengthBytes} bytes of BYTES element ${wrong.element}, got ${wrong.gotBytes}`;
    case 'left-over':
      return `expected ${wrong.elements} BYTES elements in ${wrong.usedBytes} bytes, got ${wrong.leftBytes} bytes more`;
  }
}

/** Walks over `elements` BYTES elements and answers the place after the last one, or which of them is cut off by `end`. */
export function skipElements(bytes: Uint8Array, start: number, end: number, elements: number): number | CutElement {
  let at = start;
  for (let element = 0; element < elements; element++) {
    if (at + 4 > end) return { kind: 'length-cut', element, atByte: at - start };
    const lengthBytes = lengthAt(bytes, at);
    at += 4;
    if (at + lengthBytes > end) return { kind: 'element-cut', element, lengthBytes, gotBytes: end - at };
    at += lengthBytes;
  }
  return at;
}

/** A DataView would have to be made for each tensor. */
function lengthAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)) >>> 0;
}
