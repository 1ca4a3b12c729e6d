import { expect, it } from 'vitest';
import { suggest } from './suggest.js';

it.each([
  ['a letter missing', 'maxBatchRow', 'maxBatchRows'],
  ['two letters swapped', 'priorty', 'priority'],
  ['another case', 'TIMEOUTMS', 'timeoutMs'],
  ['a short word one letter off', 'nam', 'name'],
  ['nothing close', 'replicas', undefined],
  ['a short word quite different', 'abc', undefined],
  ['a word of absurd length', 'x'.repeat(100_000), undefined],
])('suggests after %s', (_name, word, expected) => {
  expect(suggest(word, ['maxBatchRows', 'priority', 'timeoutMs', 'name'])).toBe(expected);
});
