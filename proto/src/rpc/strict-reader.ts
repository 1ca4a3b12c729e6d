import type protobuf from 'protobufjs';
import { protobufjs } from './protobufjs.js';

type ReaderClass = new (bytes: Buffer) => protobuf.BufferReader;

let strictClass: ReaderClass | undefined;

/**
 * A reader over `bytes` that throws a RangeError where a string runs past the end of the message or submessage it stands
 * in. protobufjs gives what is left of such a string instead, e.g. "ab" for 0a 05 61 62; bytes it does check.
 */
export function strictReader(bytes: Buffer): protobuf.BufferReader {
  strictClass ??= makeStrictClass();
  return new strictClass(bytes);
}

function makeStrictClass(): ReaderClass {
  return class extends protobufjs().BufferReader {
    override string(): string {
      const start = this.pos;
      this.skip(this.uint32());
      this.pos = start;
      return super.string();
    }
  };
}
