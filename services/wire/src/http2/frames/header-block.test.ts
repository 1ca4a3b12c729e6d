import { describe, expect, it } from 'vitest';
import { errorCode } from './constants.js';
import { HeaderBlock } from './header-block.js';

const part = Buffer.from('abcdef');

describe('HeaderBlock', () => {
  it('puts the pieces together, copied, and is ready for the next', () => {
    const block = new HeaderBlock(100, 3);
    const chunk = Buffer.from(part);
    block.begin(5, true, chunk, 0, 2);
    expect([block.open, block.streamId, block.endStream]).toEqual([true, 5, true]);
    block.add(chunk, 2, 4);
    chunk.fill(0);
    block.add(part, 4, 6);
    expect(block.take().toString()).toBe('abcdef');
    expect(block.open).toBe(false);
    block.begin(7, false, part, 0, 1);
    expect([block.streamId, block.endStream, block.take().toString()]).toEqual([7, false, 'a']);
  });

  it('counts bytes over all pieces', () => {
    const block = new HeaderBlock(6, 100);
    block.begin(1, false, part, 0, 6);
    expect(() => block.add(part, 0, 1)).toThrow(
      expect.objectContaining({ code: errorCode.enhanceYourCalm, message: expect.stringMatching(/at most 6 bytes/) as string }),
    );
  });

  it('counts CONTINUATION frames, empty ones too', () => {
    const block = new HeaderBlock(6, 2);
    block.begin(1, false, part, 0, 0);
    block.add(part, 0, 0);
    block.add(part, 0, 0);
    expect(() => block.add(part, 0, 0)).toThrow(
      expect.objectContaining({ code: errorCode.enhanceYourCalm, message: expect.stringMatching(/at most 2 CONT/) as string }),
    );
  });

  it('starts its counts over with each block', () => {
    const block = new HeaderBlock(6, 1);
    for (let each = 0; each < 5; each++) {
      block.begin(1 + 2 * each, false, part, 0, 3);
      block.add(part, 3, 6);
      expect(block.take().toString()).toBe('abcdef');
    }
  });
});
