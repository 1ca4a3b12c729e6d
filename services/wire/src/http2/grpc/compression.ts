import { constants, gunzip, gunzipSync, gzip, gzipSync } from 'node:zlib';
import type { StatusCode } from '@headrace/runtime';
import { statusCode } from '@headrace/runtime';

export type CompressionResult =
  | { readonly ok: true; readonly message: Buffer }
  | { readonly ok: false; readonly code: StatusCode; readonly text: string };

/**
 * Up to this many bytes on either side are handled at once, on this thread: a few hundred microseconds at most, where
 * zlib's thread pool costs two thread changes. Larger messages go there, so that none stops the event loop.
 */
export const maxSyncBytes = 64 * 1024;

/** A stream of gzip ends with CRC and length of what was compressed, 4 bytes each (RFC 1952, section 2.3.1). */
const trailerBytes = 8;

/** zlib allots its output in pieces of this: fitted to the message, so that 200 bytes do not keep a page of 16 KiB alive. */
const minPieceBytes = constants.Z_MIN_CHUNK;

/**
 * Decompresses a message. Small ones call `done` before this returns; for others the bytes are copied first, so that a
 * borrowed view may go in. Fails with RESOURCE_EXHAUSTED above `maxBytes` (a bomb is inflated no further than that, plus
 * one piece of 64 KiB), with INTERNAL on anything that is not gzip. Order among messages is kept by the caller.
 */
export function gunzipMessage(bytes: Buffer, maxBytes: number, done: (result: CompressionResult) => void): void {
  const expected = statedLength(bytes);
  if (bytes.length <= maxSyncBytes && expected <= maxSyncBytes) {
    const result = gunzipAtOnce(bytes, expected, Math.min(maxBytes, maxSyncBytes));
    // The stated length may be a lie, told to run a bomb of 1,000 : 1 on this thread.
    if (result.ok || result.code !== statusCode.RESOURCE_EXHAUSTED || maxBytes <= maxSyncBytes) {
      done(result.ok || result.code !== statusCode.RESOURCE_EXHAUSTED ? result : tooLarge(maxBytes));
      return;
    }
  }
  gunzip(Buffer.from(bytes), { maxOutputLength: outputLimit(maxBytes), chunkSize: maxSyncBytes }, (error, message) => {
    done(error === null ? withinLimit(message, maxBytes) : failure(error, maxBytes));
  });
}

/**
 * Compresses a small message with gzip, at once. Undefined when it is too large for this thread, or would not shrink: such
 * a message goes out as it is, which gRPC allows message by message.
 *
 * Streams use this alone. A larger message of theirs would have to go to the thread pool while later ones, the end, a failure and
 * back-pressure wait behind it, in one more queue whose bytes every limit had to count; what is this large is tensors, which hardly get
 * smaller. A unary call has one message and no order to keep: see gzipMessage.
 */
export function compressNow(message: Buffer): Buffer | undefined {
  if (message.length > maxSyncBytes) return undefined;
  const compressed = gzipSync(message, { chunkSize: pieceBytes(message.length) });
  return compressed.length < message.length ? compressed : undefined;
}

/** The same for a message of any size: large ones in zlib's thread pool, and `message` must not change until `done`. */
export function gzipMessage(message: Buffer, done: (compressed: Buffer | undefined) => void): void {
  if (message.length <= maxSyncBytes) {
    done(compressNow(message));
    return;
  }
  gzip(message, { chunkSize: maxSyncBytes }, (error, compressed) => {
    done(error === null && compressed.length < message.length ? compressed : undefined);
  });
}

function gunzipAtOnce(bytes: Buffer, expected: number, maxBytes: number): CompressionResult {
  try {
    const options = { maxOutputLength: outputLimit(maxBytes), chunkSize: pieceBytes(expected) };
    return withinLimit(gunzipSync(bytes, options), maxBytes);
  } catch (error) {
    return failure(error, maxBytes);
  }
}

/** zlib takes no limit below 1. */
function outputLimit(maxBytes: number): number {
  return Math.max(1, maxBytes);
}

function withinLimit(message: Buffer, maxBytes: number): CompressionResult {
  return message.length <= maxBytes ? { ok: true, message } : tooLarge(maxBytes);
}

/** The length of the message as its sender states it, modulo 2^32. A hint: it is the peer's word. */
function statedLength(bytes: Buffer): number {
  return bytes.length < trailerBytes ? 0 : bytes.readUInt32LE(bytes.length - 4);
}

/** One byte more than expected, for zlib asks for another piece as soon as one is full. */
function pieceBytes(expected: number): number {
  return Math.max(minPieceBytes, Math.min(expected + 1, maxSyncBytes));
}

function failure(error: unknown, maxBytes: number): CompressionResult {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_BUFFER_TOO_LARGE') return tooLarge(maxBytes);
  // zlib's own words ("incorrect header check") say nothing of ours.
  const text = error instanceof Error ? error.message : 'unknown error';
  return { ok: false, code: statusCode.INTERNAL, text: `a message could not be decompressed: ${text}` };
}

function tooLarge(maxBytes: number): CompressionResult {
  return { ok: false, code: statusCode.RESOURCE_EXHAUSTED, text: `a message decompresses to more than ${maxBytes} bytes` };
}
