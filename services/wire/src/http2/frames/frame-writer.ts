import { errorName, frameFlag, frameType, minMaxFrameBytes } from './constants.js';
import type { Output } from './output.js';

/** The frames that are not DATA: each is small and copied at once. */

/** A header block in one HEADERS frame and as many CONTINUATION frames as the peer's frame size asks for (RFC 9113, section 6.10). */
export function writeHeaderBlock(output: Output, streamId: number, block: Buffer, endStream: boolean, maxFrameBytes: number): void {
  const first = Math.min(block.length, maxFrameBytes);
  const more = first < block.length;
  const flags = (endStream ? frameFlag.endStream : 0) | (more ? 0 : frameFlag.endHeaders);
  const at = output.frame(frameType.headers, flags, streamId, first);
  if (more) output.buffer.set(block.subarray(0, first), at);
  else output.buffer.set(block, at);
  output.wrote(first);
  for (let from = first; from < block.length;) {
    const size = Math.min(block.length - from, maxFrameBytes);
    const last = from + size === block.length;
    const to = output.frame(frameType.continuation, last ? frameFlag.endHeaders : 0, streamId, size);
    output.buffer.set(block.subarray(from, from + size), to);
    output.wrote(size);
    from += size;
  }
}

export function writeRstStream(output: Output, streamId: number, code: number): void {
  writeUint32Frame(output, frameType.rstStream, streamId, code);
}

export function writeWindowUpdate(output: Output, streamId: number, increment: number): void {
  writeUint32Frame(output, frameType.windowUpdate, streamId, increment);
}

/** `settings`: pairs of identifier and value. */
export function writeSettings(output: Output, settings: readonly (readonly [id: number, value: number])[]): void {
  const at = output.frame(frameType.settings, 0, 0, settings.length * 6);
  settings.forEach(([id, value], index) => {
    output.buffer.writeUInt16BE(id, at + index * 6);
    output.buffer.writeUInt32BE(value, at + index * 6 + 2);
  });
  output.wrote(settings.length * 6);
}

export function writeSettingsAck(output: Output): void {
  output.frame(frameType.settings, frameFlag.ack, 0, 0);
  output.wrote(0);
}

/** `opaque`: 8 bytes, echoed where `ack`. */
export function writePing(output: Output, opaque: Buffer, ack: boolean): void {
  const at = output.frame(frameType.ping, ack ? frameFlag.ack : 0, 0, 8);
  output.buffer.set(opaque, at);
  output.wrote(8);
}

/** The debug text tells the peer's operator what we mean; it is cut to fit every peer's frame size. */
export function writeGoaway(output: Output, lastStreamId: number, code: number, message: string): void {
  const text = Buffer.from(message === '' ? '' : `${errorName(code)}: ${message}`, 'utf8').subarray(0, minMaxFrameBytes - 8 - 1024);
  const at = output.frame(frameType.goaway, 0, 0, 8 + text.length);
  output.buffer.writeUInt32BE(lastStreamId, at);
  output.buffer.writeUInt32BE(code, at + 4);
  output.buffer.set(text, at + 8);
  output.wrote(8 + text.length);
}

function writeUint32Frame(output: Output, type: number, streamId: number, value: number): void {
  const at = output.frame(type, 0, streamId, 4);
  const { buffer } = output;
  buffer[at] = value >>> 24;
  buffer[at + 1] = value >>> 16;
  buffer[at + 2] = value >>> 8;
  buffer[at + 3] = value;
  output.wrote(4);
}
