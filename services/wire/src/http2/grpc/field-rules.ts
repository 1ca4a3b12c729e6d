import { field } from './known-fields.js';
import type { FieldKind } from './known-fields.js';

/**
 * What HTTP/2 allows in a field (RFC 9113, section 8.2). Names and values are latin1 text: one character, one byte.
 *
 * Space around a value is let through, although section 8.2.1 calls it malformed: gRPC lets peers send it and receivers
 * strip it (grpc/doc/PROTOCOL-HTTP2: ASCII-Value), and some do send it.
 */

/** What is wrong with an ordinary field (no pseudo-header field); undefined when it is sound. */
export function fieldProblem(kind: FieldKind, name: string, value: string): string | undefined {
  // The other names that are known are sound.
  if (kind === field.ordinary && !isFieldName(name)) return `field name ${shown(name)}: expected lower-case visible ASCII without ":"`;
  if (kind === field.connection) return `field ${name} is specific to a connection of HTTP/1.1`;
  return isFieldValue(value) ? undefined : `field ${name}: NUL, CR or LF in its value ${shown(value)}`;
}

export function isFieldName(name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f || code === 0x3a || (code >= 0x41 && code <= 0x5a)) return false;
  }
  return name.length > 0;
}

export function isFieldValue(value: string): boolean {
  const { length } = value;
  if (length > maxScannedCharacters) return !(value.includes('\n') || value.includes('\r') || value.includes('\0'));
  for (let at = 0; at < length; at++) {
    const code = value.charCodeAt(at);
    // 14 and up is one test for nearly every character.
    if (code < 14 && (code === 0 || code === 10 || code === 13)) return false;
  }
  return true;
}

/** A character costs about 1.7 ns to look at, a call of includes 10 and next to nothing per character. */
const maxScannedCharacters = 20;

const maxShownCharacters = 64;

/** For messages: quoted, escaped and bounded, as a peer chose it. */
export function shown(text: string): string {
  return JSON.stringify(text.length <= maxShownCharacters ? text : `${text.slice(0, maxShownCharacters)}...`);
}
