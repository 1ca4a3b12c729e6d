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

  it.each([
    ['none', [], []],
    ['one', [['x-a', '1']], [['x-a', '1']]],
    [
      'two of one key, and one between',
      [
        ['x-a', '1'],
        ['x-b', '2'],
        ['x-a', '3'],
      ],
      [
        ['x-a', '1'],
        ['x-a', '3'],
        ['x-b', '2'],
      ],
    ],
  ] satisfies [string, [string, string][], [string, string][]][])('goes through its values by key: %s', (_name, appended, expected) => {
    const metadata = new Metadata();
    for (const [key, value] of appended) metadata.append(key, value);
    const seen: [string, string | Buffer][] = [];
    metadata.forEach((key, value) => seen.push([key, value]));
    expect(seen).toEqual(expected);
    expect([...metadata.entries()].flatMap(([key, values]) => values.map((value) => [key, value]))).toEqual(expected);
  });

  it('forgets its only entry, and takes another', () => {
    const metadata = Metadata.single('x-a', '1');
    metadata.delete('X-A');
    expect([metadata.size, metadata.get('x-a'), [...metadata.entries()]]).toEqual([0, undefined, []]);
    metadata.set('x-b', '2');
    expect([metadata.size, metadata.get('X-B'), metadata.getAll('x-a')]).toEqual([1, '2', []]);
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
