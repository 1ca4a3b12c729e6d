import { describe, expect, it } from 'vitest';
import { Metadata } from './metadata.js';

describe('Metadata', () => {
  it('knows keys in any case, and values of both kinds', () => {
    const metadata = Metadata.of({ 'X-Text': 'a', 'x-bytes-bin': Buffer.from([1]) });
    metadata.append('x-text', 'b');
    expect([metadata.get('x-TEXT'), metadata.getAll('x-text'), metadata.getBinary('x-bytes-bin'), metadata.size]).toEqual([
      'a',
      ['a', 'b'],
      Buffer.from([1]),
      2,
    ]);
    metadata.delete('X-TEXT');
    expect([metadata.get('x-text'), metadata.getAll('x-text'), metadata.getBinary('x-text')]).toEqual([undefined, [], undefined]);
  });

  it('can be read, and no longer changed, once it is frozen', () => {
    const metadata = Metadata.of({ 'x-a': '1' }).freeze();
    expect(metadata.get('x-a')).toBe('1');
    for (const change of [() => metadata.set('x-b', '2'), () => metadata.append('x-a', '2'), () => metadata.delete('x-a')]) {
      expect(change).toThrow('shared by several calls');
    }
    expect([...metadata.entries()]).toEqual([['x-a', ['1']]]);
  });

  it.each([
    ['a space in the key', 'x y', 'v'],
    ['bytes under a text key', 'x-y', Buffer.alloc(1)],
    ['text under a binary key', 'x-y-bin', 'v'],
  ])('refuses %s', (_name, key, value) => {
    expect(() => new Metadata().set(key, value)).toThrow(TypeError);
  });
});
