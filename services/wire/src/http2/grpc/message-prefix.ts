import { messagePrefixBytes, writePrefix } from './message-writer.js';

const prefix = Buffer.alloc(messagePrefixBytes);

/** The five bytes before a message, in a buffer that the next call overwrites. */
export function messagePrefix(length: number, compressed: boolean): Buffer {
  writePrefix(prefix, 0, length, compressed);
  return prefix;
}
