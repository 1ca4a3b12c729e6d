import { describe, expect, it } from 'vitest';
import { SeriesTable } from './series.js';

describe('SeriesTable', () => {
  const table = (max = 10): SeriesTable<'model' | 'reason', { values: object }> =>
    new SeriesTable(['model', 'reason'], max, (values) => ({ values }));

  it('tells series apart by every label, in whatever order they are asked for', () => {
    const series = table();
    const asked = ['a OK', 'a OK', 'a LATE', 'b LATE', 'a LATE', 'a OK'].map((text) => {
      const [model = '', reason = ''] = text.split(' ');
      return series.of({ model, reason });
    });
    expect(asked.map(({ values }) => values)).toEqual([
      { model: 'a', reason: 'OK' },
      { model: 'a', reason: 'OK' },
      { model: 'a', reason: 'LATE' },
      { model: 'b', reason: 'LATE' },
      { model: 'a', reason: 'LATE' },
      { model: 'a', reason: 'OK' },
    ]);
    expect(asked[1]).toBe(asked[0]);
    expect(asked[5]).toBe(asked[0]);
  });

  it('makes a removed series anew, also the one asked for last', () => {
    const series = table();
    const labels = { model: 'a', reason: 'OK' };
    const before = series.of(labels);
    series.remove(labels);
    expect(series.of(labels)).not.toBe(before);
    expect(series.all()).toHaveLength(1);
  });

  it('is not misled by an object of labels that its caller uses for many', () => {
    const series = table();
    const labels = { model: 'a', reason: 'OK' };
    const first = series.of(labels);
    labels.model = 'b';
    expect(series.of(labels)).not.toBe(first);
  });
});
