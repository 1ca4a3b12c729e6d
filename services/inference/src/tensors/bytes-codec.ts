import { isUtf8 } from 'node:buffer';

/**
 * BYTES tensors on the wire: each element is a 4-byte little-endian length and that many bytes.
 *
 *     | 05 00 00 00 | h e l l o | 00 00 00 00 | 02 00 00 00 | h i |   = ["hello", "", "hi"]
 *
 * onnxruntime-node carries string elements as NUL-terminated UTF-8, so an element with a NUL or with bytes that are
 * not UTF-8 would come out changed. Such an element is refused, never altered.
 */
export type BytesCheck = { readonly ok: true; readonly elements: number } | { readonly ok: false; readonly message: string };

/** Walks the elements and checks that each can be carried exactly. The message names the element's index. */
export function checkBytes(raw: Uint8Array, expectedElements: number): BytesCheck {
  const buffer = asBuffer(raw);
  let offset = 0;
  let elements = 0;
  while (offset < buffer.length) {
    if (offset + 4 > buffer.length) {
      return { ok: false, message: `element ${elements} is cut off: expected a 4-byte length, got ${buffer.length - offset} bytes` };
    }
    const length = buffer.readUInt32LE(offset);
    const start = offset + 4;
    const end = start + length;
    if (end > buffer.length) {
      return { ok: false, message: `element ${elements} is cut off: expected ${length} bytes, got ${buffer.length - start}` };
    }
    const element = buffer.subarray(start, end);
    if (element.includes(0)) {
      return {
        ok: false,
        message: `element ${elements} holds a NUL byte at offset ${element.indexOf(0)}, which this server cannot carry unchanged`,
      };
    }
    if (!isUtf8(element)) {
      return { ok: false, message: `element ${elements} is not valid UTF-8, which this server cannot carry unchanged` };
    }
    elements++;
    if (elements > expectedElements) break;
    offset = end;
  }
  if (elements !== expectedElements) {
    const found = elements > expectedElements ? `more than ${expectedElements}` : `${elements}`;
    return { ok: false, message: `expected ${expectedElements} elements, got ${found}` };
  }
  return { ok: true, elements };
}

/** Elements of bytes that checkBytes accepted. */
export function decodeStrings(raw: Uint8Array): string[] {
  const buffer = asBuffer(raw);
  const strings: string[] = [];
  for (let offset = 0; offset < buffer.length;) {
    const length = buffer.readUInt32LE(offset);
    strings.push(buffer.toString('utf8', offset + 4, offset + 4 + length));
    offset += 4 + length;
  }
  return strings;
}

/** The raw form of string elements, in a buffer of its own (so that it can be transferred to another thread). */
export function encodeStrings(strings: readonly string[]): ArrayBuffer {
  let size = 0;
  for (const text of strings) size += 4 + Buffer.byteLength(text, 'utf8');
  const raw = new ArrayBuffer(size);
  const buffer = Buffer.from(raw);
  let offset = 0;
  for (const text of strings) {
    const length = buffer.write(text, offset + 4, 'utf8');
    buffer.writeUInt32LE(length, offset);
    offset += 4 + length;
  }
  return raw;
}

function asBuffer(raw: Uint8Array): Buffer {
  return Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
}
