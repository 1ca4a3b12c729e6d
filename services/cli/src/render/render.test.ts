import pc from 'picocolors';
import { describe, expect, test } from 'vitest';
import { CliFailure } from '../failure.js';
import { wantsColor } from '../io.js';
import { formatCount, formatMs, formatRate, plural } from './numbers.js';
import { problemJson, renderProblem } from './problem.js';
import { renderTable } from './table.js';
import type { DecodedTensor } from './tensors.js';
import { renderTensors } from './tensors.js';

const plain = pc.createColors(false);
const tensor = (name: string, shape: number[], leaves: DecodedTensor['leaves'], datatype = 'FP32'): DecodedTensor => ({
  name,
  datatype,
  shape,
  leaves,
});

describe('tensors', () => {
  test.each<[string, DecodedTensor[], string]>([
    [
      'outputs of one shape stand side by side',
      [tensor('items', [1, 2], [313, 286], 'INT64'), tensor('scores', [1, 2], [0.11240001, 0.0745])],
      'items INT64[1, 2], scores FP32[1, 2]\n  #  items  scores\n  1    313  0.1124\n  2    286  0.0745\n',
    ],
    ['several rows are numbered', [tensor('y', [2, 1], [1, 2])], 'y FP32[2, 1]\n  row  #  y\n    0  1  1\n    1  1  2\n'],
    ['deeper tensors print a line for each row', [tensor('y', [2, 1, 2], [1, 2, 3, 4])], 'y FP32[2, 1, 2]\n  [0] 1 2\n  [1] 3 4\n'],
    ['a scalar is one value', [tensor('y', [], [5])], 'y FP32[]\n  [0] 5\n'],
    ['an empty output says so', [tensor('y', [0, 3], [])], 'y FP32[0, 3]\n  (empty)\n'],
    [
      'text from a server cannot command the terminal',
      [tensor('y', [1], ['a\u001b[2Jb'], 'BYTES')],
      'y BYTES[1]\n  #       y\n  1  a\uFFFD[2Jb\n',
    ],
  ])('%s', (_, tensors, text) => {
    expect(renderTensors(tensors, plain)).toBe(text);
  });

  test('a large output is cut, and says where the rest is', () => {
    const text = renderTensors(
      [
        tensor(
          'y',
          [1000],
          Array.from({ length: 1000 }, (_, index) => index),
        ),
      ],
      plain,
    );
    expect(text.split('\n')).toHaveLength(54);
    expect(text).toContain('... 950 more values (--output json prints all)');
  });
});

test('a table has no trailing blanks and keeps its columns apart', () => {
  const text = renderTable(
    [{ title: 'A' }, { title: 'B', align: 'right' }, { title: 'C' }],
    [
      ['x', '1', ''],
      ['yyy', '22', 'z'],
    ],
    plain,
    '  ',
  );
  expect(text).toBe('  A     B  C\n  x     1\n  yyy  22  z\n');
});

test.each([
  [0.1234, '0.12 ms'],
  [12.34, '12.3 ms'],
  [123.4, '123 ms'],
  [1234, '1.23 s'],
  [Number.NaN, '-'],
])('%d ms reads %s', (ms, text) => {
  expect(formatMs(ms)).toBe(text);
});

test('rates and counts read well', () => {
  expect([formatRate(0.5), formatRate(123.4), formatRate(12_345.6), formatCount(1_234_567)]).toEqual(['0.5', '123', '12,346', '1,234,567']);
  expect([plural(1, 'model'), plural(2, 'model')]).toEqual(['1 model', '2 models']);
});

test('a problem is told with its fix, to people and to scripts', () => {
  const failure = new CliFailure('no such model', { exitCode: 1, fix: 'look', reason: 'MODEL_NOT_FOUND' });
  expect(renderProblem(failure, plain)).toBe('error: no such model\n  try: look\n');
  expect(JSON.parse(problemJson(failure))).toEqual({ error: { message: 'no such model', reason: 'MODEL_NOT_FOUND', fix: 'look' } });
});

describe('colour', () => {
  test.each<[string, Record<string, string>, boolean, boolean]>([
    ['a terminal has it', { TERM: 'xterm' }, true, true],
    ['a pipe does not', { TERM: 'xterm' }, false, false],
    ['NO_COLOR turns it off', { NO_COLOR: '1', FORCE_COLOR: '1' }, true, false],
    ['an empty NO_COLOR does not count', { NO_COLOR: '' }, true, true],
    ['FORCE_COLOR turns it on', { FORCE_COLOR: '1' }, false, true],
    ['a dumb terminal has none', { TERM: 'dumb' }, true, false],
  ])('%s', (_, env, isTty, expected) => {
    expect(wantsColor(env, isTty)).toBe(expected);
  });
});
