import { cutStatusMessage } from '../../status-message.js';

/**
 * The text of a status on the wire, grpc-message: UTF-8, of which every byte outside printable ASCII, and "%", is
 * written as %XX (grpc/doc/PROTOCOL-HTTP2: Percent-Encoded).
 *
 *   100% für dich  =>  100%25 f%C3%BCr dich
 */
const plain = /^[ -$&-~]*$/;
/** Not allowed in a field value of HTTP/2 (RFC 9113, section 8.2.1). */
const edgeSpace = /^ | $/;

const percent = 0x25;
const hexDigits = '0123456789ABCDEF';

/** Text of more than 1,024 characters is cut; half a surrogate pair becomes U+FFFD. */
export function encodeStatusMessage(message: string): string {
  const text = cutStatusMessage(message);
  if (plain.test(text) && !edgeSpace.test(text)) return text;
  const bytes = Buffer.from(text, 'utf8');
  const last = bytes.length - 1;
  let encoded = '';
  for (const [at, byte] of bytes.entries()) {
    const edge = byte === 0x20 && (at === 0 || at === last);
    if (byte >= 0x20 && byte <= 0x7e && byte !== percent && !edge) encoded += String.fromCharCode(byte);
    else encoded += `%${hexDigits[byte >> 4]}${hexDigits[byte & 15]}`;
  }
  return encoded;
}

/**
 * Never fails (the specification forbids to lose the text): a "%" without two hex digits stays as it is, and bytes that
 * are no UTF-8 become U+FFFD. Takes the header value as latin1, so that a peer which sent UTF-8 unencoded is understood.
 */
export function decodeStatusMessage(value: string): string {
  if (plain.test(value)) return value;
  const bytes = Buffer.allocUnsafe(value.length);
  let length = 0;
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    const high = code === percent ? hexValue(value.charCodeAt(at + 1)) : -1;
    const low = high < 0 ? -1 : hexValue(value.charCodeAt(at + 2));
    if (low < 0) {
      bytes[length++] = code;
    } else {
      bytes[length++] = high * 16 + low;
      at += 2;
    }
  }
  return bytes.toString('utf8', 0, length);
}

/** -1 for anything else, NaN (past the end) included. */
function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x46) return code - 0x37;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  return -1;
}
