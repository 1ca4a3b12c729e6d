import { expect, it } from 'vitest';
import { usualBatch } from './batch-statistics.js';

it('takes the batch that carried most rows, and only what was added', () => {
  const before = new Map([[32, { runs: 10, ns: 900e6 }]]);
  const after = new Map([
    [1, { runs: 500, ns: 500e6 }],
    [32, { runs: 110, ns: 1900e6 }],
  ]);
  expect(usualBatch(before, after)).toEqual({ rows: 32, runMs: 10 });
});

it('has no time when nothing ran', () => {
  expect(usualBatch(new Map(), new Map())).toEqual({ rows: 0, runMs: Number.NaN });
});
