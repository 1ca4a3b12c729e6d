import fc from 'fast-check';
import type { Datatype } from '@headrace/proto';
import { datatypeBytes } from '@headrace/proto';
import { describe, expect, test } from 'vitest';
import type { TensorRows } from './tensor-rows.js';
import { elementsPerRow, splitTensorRows } from './tensor-rows.js';

function strings(...elements: string[]): Buffer {
  return Buffer.concat(
    elements.flatMap((element) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(Buffer.byteLength(element));
      return [length, Buffer.from(element)];
    }),
  );
}

const fixed = Object.keys(datatypeBytes).filter((datatype): datatype is Datatype => datatype !== 'BYTES');

describe('splitTensorRows', () => {
  const bad: readonly [string, TensorRows, number[], RegExp][] = [
    ['rows that do not add up', { datatype: 'UINT8', shape: [3, 2], data: Buffer.alloc(6) }, [1, 1], /expected 2 rows.*\[3,2\]/],
    ['a byte too few', { datatype: 'FP32', shape: [2, 2], data: Buffer.alloc(15) }, [1, 1], /expected 16 bytes.*got 15/],
    ['a byte too many', { datatype: 'FP32', shape: [2, 2], data: Buffer.alloc(17) }, [1, 1], /expected 16 bytes.*got 17/],
    ['dims past 2^53', { datatype: 'UINT8', shape: [1, 2 ** 40, 2 ** 40], data: Buffer.alloc(1) }, [1], /fewer than 2\^53/],
    [
      'a BYTES length past the end',
      { datatype: 'BYTES', shape: [1], data: Buffer.from([9, 0, 0, 0, 1]) },
      [1],
      /expected 9 bytes of BYTES element 0, got 1/,
    ],
    [
      'a BYTES length cut off',
      { datatype: 'BYTES', shape: [2], data: Buffer.concat([strings('a'), Buffer.from([1, 0])]) },
      [1, 1],
      /length of BYTES element 1 at byte 5/,
    ],
    [
      'BYTES left over',
      { datatype: 'BYTES', shape: [1], data: strings('a', 'b') },
      [1],
      /expected 1 BYTES elements in 5 bytes, got 5 bytes more/,
    ],
    [
      'a BYTES length past the end, in a later part',
      { datatype: 'BYTES', shape: [3], data: Buffer.concat([strings('a', 'b'), Buffer.from([3, 0, 0, 0, 1])]) },
      [1, 1, 1],
      /expected 3 bytes of BYTES element 2, got 1/,
    ],
    [
      'a BYTES length of nearly 2^32',
      { datatype: 'BYTES', shape: [1], data: Buffer.from([255, 255, 255, 255]) },
      [1],
      /expected 4294967295 bytes/,
    ],
  ];
  test.each(bad)('refuses %s', (_, tensor, rows, message) => {
    const split = splitTensorRows(tensor, rows);
    expect(split.ok ? 'split' : split.message).toMatch(message);
  });

  test('gives back each part of any concatenation, for every datatype', () => {
    const tensor = (datatype: Datatype, rows: number, inner: number[], seed: number): TensorRows => {
      const elements = rows * (elementsPerRow([rows, ...inner]) ?? 0);
      const data =
        datatype === 'BYTES'
          ? strings(...Array.from({ length: elements }, (_, index) => 'x'.repeat((index * seed) % 7)))
          : Buffer.alloc(elements * datatypeBytes[datatype], seed);
      return { datatype, shape: [rows, ...inner], data };
    };
    fc.assert(
      fc.property(
        fc.constantFrom<Datatype>(...fixed, 'BYTES'),
        fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 250 })), { minLength: 1, maxLength: 6 }),
        (datatype, inner, members) => {
          const parts = members.map(([rows, seed]) => tensor(datatype, rows, inner, seed));
          const rows = members.map(([count]) => count);
          const total = rows.reduce((sum, count) => sum + count, 0);
          const data = Buffer.concat(parts.map((part) => part.data));
          const split = splitTensorRows({ datatype, shape: [total, ...inner], data }, rows);
          if (!split.ok) throw new Error(split.message);
          expect(split.parts.map((part) => Buffer.from(part).toString('hex'))).toEqual(
            parts.map(({ data }) => Buffer.from(data).toString('hex')),
          );
        },
      ),
    );
  });
});
