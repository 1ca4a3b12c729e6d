import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import type { JsonValue } from './nested.js';
import { flatten, pathOfLeaf } from './nested.js';

describe('flatten', () => {
  test.each<[string, JsonValue, number[], JsonValue[]]>([
    ['a scalar has no dimensions', 7, [], [7]],
    ['a list has one', [1, 2, 3], [3], [1, 2, 3]],
    [
      'leaves come row by row',
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      [3, 2],
      [1, 2, 3, 4, 5, 6],
    ],
    ['an empty list is a dimension of size 0', [], [0], []],
    ['rows may be empty', [[], []], [2, 0], []],
    ['objects are leaves', [{ b64: 'AA==' }], [1], [{ b64: 'AA==' }]],
  ])('%s', (_, value, shape, leaves) => {
    expect(flatten(value, 'x')).toEqual({ shape, leaves });
  });

  test.each<[string, JsonValue, string]>([
    [
      'a shorter row is named',
      [
        [1, 2, 3],
        [4, 5],
      ],
      'x[1]: expected a list of 3 like x[0], got a list of 2',
    ],
    ['a value among lists is named', [[1], 2], 'x[1]: expected a list of 1 like x[0], got 2'],
    ['a list among values is named', [1, [2]], 'x[1]: expected a value like x[0], got a list'],
    ['a ragged place deep inside is named', [[[1, 2]], [[3]]], 'x[1][0]: expected a list of 2 like x[0][0], got a list of 1'],
    ['text is shown, cut short', [[1], 'a'.repeat(60)], `x[1]: expected a list of 1 like x[0], got "${'a'.repeat(36)}..."`],
  ])('%s', (_, value, message) => {
    expect(() => flatten(value, 'x')).toThrow(message);
  });

  test('a nest without end is refused, not followed', () => {
    let value: JsonValue = 1;
    for (let depth = 0; depth < 40; depth += 1) value = [value];
    expect(() => flatten(value, 'x')).toThrow('deeper than 32');
  });
});

test('pathOfLeaf names the place that indexing finds', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }), (shape) => {
      const size = shape.reduce((product, dim) => product * dim, 1);
      const seen = new Set(Array.from({ length: size }, (_, index) => pathOfLeaf('x', shape, index)));
      return seen.size === size && seen.has(`x${shape.map((dim) => `[${dim - 1}]`).join('')}`);
    }),
  );
});
