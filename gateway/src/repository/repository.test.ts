import { refuse, statusCode } from '@headrace/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authorizeControl } from './authorize.js';
import { MonotonicCounters } from './counters.js';
import { fanOut, resultsTrailer, summarise } from './fan-out.js';
import { mergeIndex } from './merge-index.js';
import { StatisticsMerger } from './statistics.js';
import type { ModelStatistics } from './statistics.js';

describe('MonotonicCounters', () => {
  it('goes on where a restarted source begins again', () => {
    const counters = new MonotonicCounters(10);
    const told = [5n, 9n, 2n, 6n].map((value) => counters.observe('s', new Map([['n', value]])).get('n'));
    expect(told).toEqual([5n, 9n, 11n, 15n]);
    expect(counters.remembered('s')?.get('n')).toBe(15n);
  });

  it('restarts all counters of a source together', () => {
    const counters = new MonotonicCounters(10);
    counters.observe(
      's',
      new Map([
        ['slow', 10n],
        ['fast', 1n],
      ]),
    );
    expect([
      ...counters
        .observe(
          's',
          new Map([
            ['slow', 2n],
            ['fast', 50n],
          ]),
        )
        .values(),
    ]).toEqual([12n, 51n]);
  });

  it('never goes backwards, whatever comes (property)', () => {
    const step = fc.record({
      source: fc.constantFrom('a', 'b'),
      values: fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.bigInt({ min: 0n, max: 1000n })),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const counters = new MonotonicCounters(10);
        const last = new Map<string, bigint>();
        for (const { source, values } of steps) {
          for (const [name, value] of counters.observe(source, new Map(Object.entries(values)))) {
            expect(value).toBeGreaterThanOrEqual(last.get(source + name) ?? 0n);
            last.set(source + name, value);
          }
        }
      }),
    );
  });
});

const stats = (change: Partial<ModelStatistics>): ModelStatistics => ({
  name: 'm',
  version: '1',
  last_inference: '0',
  inference_count: '0',
  execution_count: '0',
  inference_stats: null,
  batch_stats: [],
  memory_usage: [],
  response_stats: {},
  ...change,
});
const duration = (count: number, ns: number): { count: string; ns: string } => ({ count: `${count}`, ns: `${ns}` });

describe('StatisticsMerger', () => {
  const all = (): boolean => true;

  it('sums counters over backends, batch sizes apart, and keeps the latest inference', () => {
    const merged = new StatisticsMerger().merge(
      new Map([
        [
          'a',
          [
            stats({
              inference_count: '5',
              last_inference: '70',
              batch_stats: [{ batch_size: '8', compute_input: null, compute_infer: duration(1, 10), compute_output: null }],
            }),
          ],
        ],
        [
          'b',
          [
            stats({
              inference_count: '7',
              last_inference: '60',
              batch_stats: [
                { batch_size: '8', compute_input: null, compute_infer: duration(2, 20), compute_output: null },
                { batch_size: '4', compute_input: null, compute_infer: duration(1, 1), compute_output: null },
              ],
              memory_usage: [{ type: 'GPU', id: '0', byte_size: '99' }],
            }),
          ],
        ],
      ]),
      all,
    );
    expect(merged.model_stats).toMatchObject([
      {
        name: 'm',
        inference_count: '12',
        last_inference: '70',
        batch_stats: [
          { batch_size: '4', compute_infer: { count: '1', ns: '1' } },
          { batch_size: '8', compute_infer: { count: '3', ns: '30' } },
        ],
        memory_usage: [{ type: 'GPU', byte_size: '99' }],
      },
    ]);
  });

  it('counts on over a restart and through an outage, and forgets a backend that left the table', () => {
    const merger = new StatisticsMerger();
    const count = (a: ModelStatistics[] | undefined, b: ModelStatistics[] | undefined): string | undefined =>
      merger.merge(
        new Map([
          ['a', a],
          ['b', b],
        ]),
        all,
      ).model_stats?.[0]?.inference_count as string | undefined;
    expect(count([stats({ inference_count: '10' })], [stats({ inference_count: '1' })])).toBe('11');
    expect(count(undefined, [stats({ inference_count: '2' })])).toBe('12');
    expect(count([stats({ inference_count: '3' })], [stats({ inference_count: '2' })])).toBe('15');
    expect(merger.merge(new Map([['b', [stats({ inference_count: '2' })]]]), all).model_stats?.[0]?.inference_count).toBe('2');
  });

  it('keeps hostile keys as keys', () => {
    const response = JSON.parse('{"__proto__": {"success": {"count": "1", "ns": "2"}}}') as ModelStatistics['response_stats'];
    const merged = new StatisticsMerger().merge(new Map([['a', [stats({ response_stats: response })]]]), all);
    expect(Object.keys(merged.model_stats?.[0]?.response_stats ?? {})).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['success']).toBeUndefined();
  });
});

describe('mergeIndex', () => {
  const entry = (version: string, state: string, reason = ''): { name: string; version: string; state: string; reason: string } => ({
    name: 'm',
    version,
    state,
    reason,
  });

  it('is ready where any backend is, tells the reasons of the others, and sorts versions as numbers', () => {
    const merged = mergeIndex(
      new Map([
        ['a', [entry('10', 'READY'), entry('9', 'UNAVAILABLE', 'gone')]],
        ['b', [entry('10', 'LOADING'), entry('9', 'UNAVAILABLE')]],
      ]),
      false,
    );
    expect(merged).toEqual([entry('9', 'UNAVAILABLE', 'a: UNAVAILABLE: gone; b: UNAVAILABLE'), entry('10', 'READY', 'b: LOADING')]);
  });

  it('leaves out what is not ready when asked to', () => {
    expect(mergeIndex(new Map([['a', [entry('1', 'UNAVAILABLE')]]]), true)).toEqual([]);
  });
});

describe('load and unload', () => {
  it('reports each backend, one of them failing', async () => {
    const results = await fanOut(['a', 'b'], async (backend) =>
      backend === 'a' ? { ok: true, value: 1 } : { ok: false, refusal: refuse('MODEL_LOAD_FAILED', 'bad file') },
    );
    expect(summarise('load', 'm', results)).toMatchObject({
      reason: 'MODEL_LOAD_FAILED',
      code: statusCode.INVALID_ARGUMENT,
      message: 'load of "m": a done; b failed: bad file',
    });
    expect(resultsTrailer(results)).toBe('[{"backend":"a","ok":true},{"backend":"b","ok":false,"reason":"MODEL_LOAD_FAILED"}]');
    expect(summarise('load', 'm', results.slice(0, 1))).toBeUndefined();
  });

  const peer = { address: '10.0.0.9:1', loopback: false, secure: true, identities: ['uri:spiffe://shop/ops'] };
  const cases: readonly [string, Parameters<typeof authorizeControl>[0], boolean][] = [
    ['loopback', { ...peer, loopback: true, identities: [] }, true],
    ['an admin identity', peer, true],
    ['another identity', { ...peer, identities: ['cn:guest'] }, false],
    ['no identity', { ...peer, identities: [] }, false],
  ];
  it.each(cases)('from %s', (_name, who, allowed) => {
    expect(authorizeControl(who, ['uri:spiffe://shop/ops']) === undefined).toBe(allowed);
  });
});
