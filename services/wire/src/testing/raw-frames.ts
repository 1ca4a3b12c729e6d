import { clientPreface, frameFlag, frameHeaderBytes, frameType } from '../http2/frames/constants.js';

/** Frames put together by hand, right or wrong, for tests. Nothing here checks anything. */
export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export const preface = clientPreface;
const nothing = Buffer.alloc(0);

/** `announced`: the length in the header, where it is not the payload's own. */
export function rawFrame(type: number, flags: number, streamId: number, payload: Uint8Array = nothing, announced = payload.length): Buffer {
  const bytes = Buffer.alloc(frameHeaderBytes + payload.length);
  bytes.writeUIntBE(announced, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(streamId >>> 0, 5);
  bytes.set(payload, frameHeaderBytes);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function rawSettings(...settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(settings.length * 6);
  settings.forEach(([id, value], index) => {
    payload.writeUInt16BE(id, index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  });
  return rawFrame(frameType.settings, 0, 0, payload);
}

export function rawSettingsAck(): Buffer {
  return rawFrame(frameType.settings, frameFlag.ack, 0);
}

export function rawPing(flags = 0): Buffer {
  return rawFrame(frameType.ping, flags, 0, Buffer.alloc(8, 7));
}

export function rawReset(streamId: number, code: number): Buffer {
  return rawFrame(frameType.rstStream, 0, streamId, uint32(code));
}

export function rawWindowUpdate(streamId: number, increment: number): Buffer {
  return rawFrame(frameType.windowUpdate, 0, streamId, uint32(increment));
}

export function rawPriority(streamId: number, dependency: number): Buffer {
  return rawFrame(frameType.priority, 0, streamId, Buffer.concat([uint32(dependency), Buffer.of(15)]));
}

export function rawGoaway(lastStreamId: number, code: number): Buffer {
  return rawFrame(frameType.goaway, 0, 0, Buffer.concat([uint32(lastStreamId), uint32(code)]));
}

export function rawData(streamId: number, payload: Uint8Array, endStream = false): Buffer {
  return rawFrame(frameType.data, endStream ? frameFlag.endStream : 0, streamId, payload);
}

export function rawHeaders(streamId: number, block: Uint8Array, endStream = false, endHeaders = true): Buffer {
  return rawFrame(frameType.headers, (endStream ? frameFlag.endStream : 0) | (endHeaders ? frameFlag.endHeaders : 0), streamId, block);
}

export function rawContinuation(streamId: number, block: Uint8Array, endHeaders = false): Buffer {
  return rawFrame(frameType.continuation, endHeaders ? frameFlag.endHeaders : 0, streamId, block);
}

/** A message with its five bytes in front. */
export function grpcMessage(message: Uint8Array | string): Buffer {
  const bytes = Buffer.from(message);
  return Buffer.concat([Buffer.of(0), uint32(bytes.length), bytes]);
}

/** A literal that goes into the peer's table, without Huffman code; texts up to 126 bytes (RFC 7541, section 6.2.1). */
export function literalField(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0x40, name.length), Buffer.from(name), Buffer.of(value.length), Buffer.from(value)]);
}
