import { describe, expect, test } from 'vitest';
import { createCostBook } from './cost-book.js';

function teach(book: ReturnType<typeof createCostBook>, shape: string, pod = 'cpu', runMs = 10): void {
  for (let run = 0; run < 10; run++) book.observe(shape, pod, 1, runMs);
}

describe('createCostBook', () => {
  test('predicts 0 for what never ran', () => {
    const estimate = createCostBook().estimate('ranker', 'cpu');
    expect([estimate.predictMs(8), estimate.identified, estimate.residualMs]).toEqual([0, false, 0]);
  });

  test('keeps pod classes and shape classes apart', () => {
    const book = createCostBook();
    teach(book, 'ranker', 'cpu', 20);
    teach(book, 'ranker', 'cuda:0', 2);
    teach(book, 'mlp', 'cpu', 1);
    expect(book.estimate('ranker', 'cpu').predictMs(2)).toBeCloseTo(40);
    expect(book.estimate('ranker', 'cuda:0').predictMs(2)).toBeCloseTo(4);
    expect(book.estimate('mlp', 'cpu').predictMs(2)).toBeCloseTo(2);
  });

  test('an estimate that was handed out does not change', () => {
    const book = createCostBook();
    teach(book, 'ranker');
    const before = book.estimate('ranker', 'cpu');
    for (let run = 0; run < 50; run++) book.observe('ranker', 'cpu', 1, 99);
    expect(before.predictMs(1)).toBeCloseTo(10);
    expect(Math.abs(book.estimate('ranker', 'cpu').predictMs(1) - 99)).toBeLessThan(3);
  });

  test('a new version starts anew on all pod classes', () => {
    const book = createCostBook();
    teach(book, 'ranker', 'cpu');
    teach(book, 'ranker', 'cuda:0');
    book.reset('ranker');
    expect(book.estimate('ranker', 'cpu').predictMs(1) + book.estimate('ranker', 'cuda:0').predictMs(1)).toBe(0);
  });

  test('forgets the class that ran longest ago when there are too many', () => {
    const book = createCostBook({ maxShapeClasses: 2, maxPodClasses: 1 });
    for (const shape of ['a', 'b', 'a', 'c']) teach(book, shape);
    const known = ['a', 'b', 'c'].filter((shape) => book.estimate(shape, 'cpu').predictMs(1) > 0);
    expect(known).toEqual(['a', 'c']);
    teach(book, 'c', 'cuda:0');
    expect(book.estimate('c', 'cpu').predictMs(1)).toBe(0);
  });

  test('a run without rows or with a time that is no number leaves no trace', () => {
    const book = createCostBook({ maxShapeClasses: 1 });
    teach(book, 'real');
    book.observe('ghost', 'cpu', 0, 5);
    book.observe('ghost', 'cpu', 1, NaN);
    expect(book.estimate('real', 'cpu').predictMs(1)).toBeCloseTo(10);
  });
});
