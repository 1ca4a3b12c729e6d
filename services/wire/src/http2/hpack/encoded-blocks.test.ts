import { describe, expect, it } from 'vitest';
import { EncodedBlocks } from './encoded-blocks.js';

describe('EncodedBlocks', () => {
  const fields = [':path', '/a'];

  it('answers for the same list in the same state of the table, and only for that', () => {
    const blocks = new EncodedBlocks();
    blocks.store(fields, Buffer.from('be', 'hex'), 1, 7);
    const target = Buffer.alloc(4);
    expect([blocks.copyTo(target, fields, 7), target.toString('hex')]).toEqual([1, 'be000000']);
    expect([blocks.copyTo(target, [...fields], 7), blocks.copyTo(target, fields, 8)]).toEqual([-1, -1]);
  });

  it('answers again once the block was stored for a later state', () => {
    const blocks = new EncodedBlocks();
    blocks.store(fields, Buffer.from('be', 'hex'), 1, 7);
    blocks.store(fields, Buffer.from('bf', 'hex'), 1, 8);
    const target = Buffer.alloc(1);
    expect([blocks.copyTo(target, fields, 8), target.toString('hex')]).toEqual([1, 'bf']);
  });

  it('forgets the oldest of more than 16 lists, and keeps no block of more than 64 octets', () => {
    const blocks = new EncodedBlocks();
    const lists = Array.from({ length: 17 }, (_, each) => ['x', String(each)]);
    for (const list of lists) blocks.store(list, Buffer.from('be', 'hex'), 1, 0);
    const large = ['x', 'large'];
    blocks.store(large, Buffer.alloc(65), 65, 0);
    const lengths = [...lists, large].map((list) => blocks.copyTo(Buffer.alloc(65), list, 0));
    expect(lengths).toEqual([-1, ...Array.from({ length: 16 }, () => 1), -1]);
  });
});
