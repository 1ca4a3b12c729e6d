import { expect, test } from 'vitest';
import fc from 'fast-check';
import { LineSplitter } from './line-splitter.js';

function split(chunks: readonly Buffer[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return lines;
}

test('lines are the same wherever the chunks are cut, in the middle of a character too', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n]/.test(text)),
        { minLength: 1 },
      ),
      fc.array(fc.nat(200)),
      (lines, cuts) => {
        const bytes = Buffer.from(`${lines.join('\n')}\n`);
        const places = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        expect(split(chunks)).toEqual(lines);
      },
    ),
  );
});

test('a last line without its newline counts, and Windows line ends do not', () => {
  expect(split([Buffer.from('a\r\nb')])).toEqual(['a', 'b']);
});

test('an endless line is cut, its rest dropped, and the next line is whole', () => {
  const lines = split([Buffer.alloc(20_000, 'x'), Buffer.alloc(20_000, 'x'), Buffer.from('\nnext\n')]);
  expect(lines.map((line) => line.length)).toEqual([16_387, 4]);
  expect(lines[1]).toBe('next');
});
