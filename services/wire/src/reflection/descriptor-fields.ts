/** One length-delimited field: its number and bytes. */
export interface BytesField {
  readonly number: number;
  readonly bytes: Buffer;
}

/**
 * The length-delimited fields of a protobuf message, others skipped: all that is needed to index descriptors, which our
 * own build made. Throws on bytes that are no message.
 */
export function* bytesFields(message: Buffer): Generator<BytesField> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++];
      if (byte === undefined || scale > 2 ** 63) throw new RangeError('descriptor: truncated or oversize varint');
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        varint();
        break;
      case 1:
        at += 8;
        break;
      case 2: {
        const length = varint();
        if (at + length > message.length) throw new RangeError('descriptor: truncated field');
        yield { number, bytes: message.subarray(at, at + length) };
        at += length;
        break;
      }
      case 5:
        at += 4;
        break;
      default:
        throw new RangeError(`descriptor: wire type ${tag % 8}`);
    }
  }
}
