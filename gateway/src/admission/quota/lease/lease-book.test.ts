import { describe, expect, it } from 'vitest';
import type { BucketAsk, LeaseAsk } from '../../../domain/lease-store.js';
import { LeaseBook } from './lease-book.js';

const bucket: BucketAsk = { name: 'r', ratePerSecond: 100, burst: 100, total: 0, owed: 0, want: 0, usePerSecond: 0, initial: 100 };

function askOf(tenantKey: string, change: Partial<BucketAsk> = {}, more: Partial<LeaseAsk> = {}): LeaseAsk {
  return { tenantKey, epoch: 'e', sequence: 1, ttlMs: 2_000, buckets: [{ ...bucket, ...change }], ...more };
}

describe('what a book forgets', () => {
  it('a bucket that would be full again and has no leases, and not before', () => {
    const book = new LeaseBook();
    // 60 of 100 are missing, at 100 a second.
    book.exchange(askOf('a', { want: 60 }), 0);
    book.sweep(2_000 + 600 + 999);
    expect(book.size).toBe(1);
    book.sweep(2_000 + 600 + 1_000);
    expect(book.size).toBe(0);
  });

  it('one that does not fill, after a day', () => {
    const book = new LeaseBook();
    book.exchange(askOf('a', { want: 60, ratePerSecond: 0 }), 0);
    book.sweep(86_399_999);
    expect(book.size).toBe(1);
    book.sweep(86_400_000);
    expect(book.size).toBe(0);
  });

  it('all of a full book in a few sweeps, of a thousand each', () => {
    const book = new LeaseBook();
    for (let index = 0; index < 3_000; index += 1) book.exchange(askOf(`t${index}`), 0);
    const left = [1, 2, 3].map(() => {
      book.sweep(10_000);
      return book.size;
    });
    expect(left).toEqual([3_000 - 1_024, 3_000 - 2_048, 0]);
  });

  it('is not used when it comes again before a sweep', () => {
    const book = new LeaseBook();
    book.exchange(askOf('a', { want: 60 }), 0);
    expect(book.exchange(askOf('a', { initial: 70 }, { epoch: 'f' }), 10_000)).toEqual([{ lease: 0, level: 70, share: 1 }]);
  });

  it('beyond its limit the bucket that was not asked about for longest', () => {
    const book = new LeaseBook({ maxBuckets: 3 });
    for (const name of ['a', 'b', 'c']) book.exchange(askOf(name, { want: 60, ratePerSecond: 0 }), 0);
    book.exchange(askOf('a', { want: 60, ratePerSecond: 0 }, { sequence: 2 }), 1);
    for (let index = 0; index < 2; index += 1) book.exchange(askOf(`invented${index}`), 2);
    expect(book.size).toBe(3);
    const levelOf = (name: string): number | undefined =>
      book.exchange(askOf(name, { ratePerSecond: 0 }, { epoch: 'other' }), 3)?.[0]?.level;
    expect([levelOf('a'), levelOf('b')]).toEqual([40, 100]);
  });
});

it('has so many gateways at a bucket at most, and room again when leases are over', () => {
  const book = new LeaseBook();
  const join = (index: number, nowMs: number): unknown => book.exchange(askOf('a', {}, { epoch: `e${index}` }), nowMs);
  for (let index = 0; index < 256; index += 1) join(index, 0);
  expect(() => join(256, 1_999)).toThrow('at most 256 gateways');
  expect(() => book.exchange(askOf('a', {}, { epoch: 'e7', sequence: 2 }), 1_999)).not.toThrow();
  expect(join(256, 2_000)).toBeDefined();
});

/** As they would come out of JSON. */
const nothing: number = JSON.parse('null') as number;

it.each<[string, LeaseAsk]>([
  ['no tenant', askOf('')],
  ['a name with other characters', askOf('a', { name: 'r r' })],
  ['a long epoch', askOf('a', {}, { epoch: 'e'.repeat(65) })],
  ['no buckets', askOf('a', {}, { buckets: [] })],
  ['too many buckets', askOf('a', {}, { buckets: Array.from({ length: 65 }, () => bucket) })],
  ['no sequence', askOf('a', {}, { sequence: 0 })],
  ['a lease of days', askOf('a', {}, { ttlMs: 3_600_001 })],
  ['an infinite rate', askOf('a', { ratePerSecond: Infinity })],
  ['a negative wish', askOf('a', { want: -1 })],
  ['a use that is no number', askOf('a', { usePerSecond: Number.NaN })],
  ['a total that was lost on the way', askOf('a', { total: nothing })],
])('refuses an ask with %s, and changes nothing', (_, ask) => {
  const book = new LeaseBook();
  expect(() => book.exchange(ask, 0)).toThrow('expected names');
  expect(book.size).toBe(0);
});
