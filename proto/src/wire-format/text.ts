import { isUtf8 } from 'node:buffer';

/** Up to this length a text is looked up; longer ones are rarely names. */
const shortBytes = 32;

/**
 * Names come again with every request: models, tensors, datatypes, parameters. The last text of each slot is kept, so that
 * reading one again makes no string and costs a comparison. At most 1,024 texts of 32 bytes; a miss only replaces.
 */
const slots = 1024;
const recent: string[] = Array.from({ length: slots }, () => '');

/** The text in [start, end), or undefined where it is not UTF-8, which proto3 forbids in a string. */
export function decodeString(bytes: Buffer, start: number, end: number): string | undefined {
  if (start === end) return '';
  if (end - start <= shortBytes) {
    // FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/
    let hash = 0x811c9dc5;
    let seen = 0;
    for (let position = start; position < end; position++) {
      const byte = bytes[position] as number;
      seen |= byte;
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    if (seen < 0x80) {
      const slot = (hash ^ (hash >>> 16)) & (slots - 1);
      const known = recent[slot] as string;
      if (isAt(known, bytes, start, end)) return known;
      return (recent[slot] = bytes.toString('latin1', start, end));
    }
  }
  return isUtf8(bytes.subarray(start, end)) ? bytes.toString('utf8', start, end) : undefined;
}

/** Whether `bytes` say exactly `text` in [start, end). */
function isAt(text: string, bytes: Buffer, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}

/** A name from outside, quoted and short enough for an error text. */
export function quoteName(name: string): string {
  return JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}...` : name);
}
