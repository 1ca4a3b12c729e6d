import { describe, expect, it } from 'vitest';
import { dataBytes, readH2loadLog } from './h2load-log.js';

describe('readH2loadLog', () => {
  it('takes quantiles of replies and counts what failed', () => {
    const lines = Array.from({ length: 100 }, (_, index) => `1700000000000000\t200\t${(index + 1) * 1000}`);
    expect(readH2loadLog([...lines, '1700000000000000\t-1\t5', ''].join('\n'))).toEqual({
      count: 100,
      failed: 1,
      p50Ms: 50,
      p99Ms: 99,
      maxMs: 100,
    });
  });

  it('says NaN of nothing rather than a fast server', () => {
    expect(readH2loadLog('')).toEqual({ count: 0, failed: 0, p50Ms: Number.NaN, p99Ms: Number.NaN, maxMs: Number.NaN });
  });
});

describe('dataBytes', () => {
  it('reads the traffic line', () => {
    expect(
      dataBytes('status codes: 2 2xx\ntraffic: 268B (268) total, 92B (92) headers (space savings 12.38%), 110B (110) data\nmin max'),
    ).toBe(110);
  });

  it('is NaN where h2load said nothing', () => {
    expect(dataBytes('')).toBeNaN();
  });
});
