import { describe, expect, it } from 'vitest';
import { messagePrefixBytes, writePrefix } from './message-writer.js';

describe('writePrefix', () => {
  it.each([
    ['an empty message', 0, false, [0, 0, 0, 0, 0]],
    ['a compressed one', 1, true, [1, 0, 0, 0, 1]],
    ['a length of four different bytes', 0x01_02_03_04, false, [0, 1, 2, 3, 4]],
    ['a length with the highest bit', 0xff_fe_fd_fc, false, [0, 0xff, 0xfe, 0xfd, 0xfc]],
  ])('writes the prefix of %s, and nothing around it', (_name, length, compressed, bytes) => {
    const out = Buffer.alloc(9, 0xaa);
    expect(writePrefix(out, 2, length, compressed)).toBe(2 + messagePrefixBytes);
    expect([...out]).toEqual([0xaa, 0xaa, ...bytes, 0xaa, 0xaa]);
  });

  it('refuses a length that does not fit', () => {
    expect(() => writePrefix(Buffer.alloc(5), 0, 2 ** 32, false)).toThrow(RangeError);
  });
});
