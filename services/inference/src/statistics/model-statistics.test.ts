import { expect, it } from 'vitest';
import { ModelStatistics, StatisticsBook } from './model-statistics.js';

it('a batch of 2 requests with 5 rows counts 1 run, 5 inferences and 2 requests', () => {
  const statistics = new ModelStatistics();
  statistics.ran(5, 2, { inputNs: 10, runNs: 100, outputNs: 20 }, 1234);
  statistics.succeeded(1, 0.5);
  statistics.succeeded(2, 0.25);
  statistics.failed(3);
  expect(statistics).toMatchObject({
    inferenceCount: 5,
    executionCount: 1,
    lastInferenceMs: 1234,
    success: { count: 2, ns: 3_000_000 },
    fail: { count: 1, ns: 3_000_000 },
    queue: { count: 2, ns: 750_000 },
    computeInfer: { count: 2, ns: 200 },
  });
  expect(statistics.batches.get(5)?.computeInfer).toEqual({ count: 1, ns: 100 });
});

it('a reload goes on counting: the book hands out the same counters', () => {
  const book = new StatisticsBook();
  expect(book.of('m', 1)).toBe(book.of('m', 1));
  expect(book.of('m', 2)).not.toBe(book.of('m', 1));
  expect(book.of('1/m', 2)).not.toBe(book.of('m', 21));
});

it('the book is bounded', () => {
  const book = new StatisticsBook(1);
  const first = book.of('a', 1);
  expect(book.of('b', 1)).not.toBe(book.of('b', 1));
  expect(book.of('a', 1)).toBe(first);
});
