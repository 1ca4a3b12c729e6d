import pc from 'picocolors';
import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { defineGatewayMetrics } from '@headrace/gateway';
import { MetricsRegistry } from '@headrace/runtime';
import { parseExposition } from './exposition.js';
import { modelFamilies, replicaFamily, snapshotOfMetrics } from './from-metrics.js';
import { difference, quantile } from './quantile.js';
import { linesBetween } from './rates.js';
import { renderTop } from './render.js';
import { guessMetricsAddress } from './source.js';

test('the text format is read with its escapes, and comments are skipped', () => {
  const text = '# HELP a b\n# TYPE a counter\na 1\nb{x="1",y="q\\"\\\\\\n}"} 2.5 1700000000\nc{le="+Inf"} +Inf\nnonsense\n';
  expect(parseExposition(text, () => true)).toEqual([
    { name: 'a', labels: {}, value: 1 },
    { name: 'b', labels: { x: '1', y: 'q"\\\n}' }, value: 2.5 },
    { name: 'c', labels: { le: '+Inf' }, value: Infinity },
  ]);
});

describe('quantile', () => {
  const buckets = [
    { le: 1, count: 10 },
    { le: 2, count: 20 },
    { le: Infinity, count: 20 },
  ];
  test.each([
    [0.5, 1],
    [0.75, 1.5],
    [1, 2],
    [0.25, 0.5],
  ])('%d of twenty values', (q, expected) => {
    expect(quantile(buckets, q)).toBe(expected);
  });

  test('beyond the last bound the bound is all that is known', () => {
    expect(
      quantile(
        [
          { le: 1, count: 1 },
          { le: Infinity, count: 10 },
        ],
        0.99,
      ),
    ).toBe(1);
  });

  test('of nothing there is none', () => {
    expect(
      quantile(
        [
          { le: 1, count: 0 },
          { le: Infinity, count: 0 },
        ],
        0.5,
      ),
    ).toBeUndefined();
    expect(quantile([], 0.5)).toBeUndefined();
  });

  test('grows with q and stays inside the bounds', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 1, maxLength: 10 }), fc.double({ min: 0.01, max: 0.99, noNaN: true }), (counts, q) => {
        let total = 0;
        const made = counts.map((count, index) => ({ le: index + 1, count: (total += count) }));
        const low = quantile(made, q / 2);
        const high = quantile(made, q);
        return total === 0 ? high === undefined : (low ?? 0) <= (high ?? 0) && (high ?? 0) <= counts.length;
      }),
    );
  });

  test('a counter that went back was restarted', () => {
    expect(difference([{ le: 1, count: 5 }], [{ le: 1, count: 7 }])).toEqual([{ le: 1, count: 2 }]);
    expect(difference([{ le: 1, count: 5 }], [{ le: 1, count: 2 }])).toEqual([{ le: 1, count: 2 }]);
  });
});

/** A gateway that answered `count` requests of 3 ms in runs of two rows. */
async function gatewayText(count: number): Promise<string> {
  const registry = new MetricsRegistry({ processMetrics: false });
  const metrics = defineGatewayMetrics(registry, {
    heldRequests: () => 0,
    heldBytes: () => 0,
    queuedRows: () => 7,
    oldestKeysSeconds: () => 0,
    heldLeases: () => 0,
  });
  metrics.backendReady.set({ backend: 'replica-0' }, 1);
  metrics.backendReady.set({ backend: 'replica-1' }, 0);
  for (let request = 0; request < count; request += 1) {
    metrics.requests.inc({ model: 'm', reason: request % 10 === 9 ? 'QUEUE_FULL' : 'OK' });
    metrics.requestSeconds.observe({ model: 'm' }, 0.003);
    metrics.queueSeconds.observe({ model: 'm' }, 0.001);
    metrics.batchRows.observe({ model: 'm' }, 2);
    metrics.runSeconds.observe({ model: 'm', backend: 'replica-0' }, 0.002);
  }
  return registry.exposition();
}

describe('a gateway', () => {
  test('every metric that is read is one that it defines', () => {
    const registry = new MetricsRegistry({ processMetrics: false });
    defineGatewayMetrics(registry, {
      heldRequests: () => 0,
      heldBytes: () => 0,
      queuedRows: () => 0,
      oldestKeysSeconds: () => 0,
      heldLeases: () => 0,
    });
    const defined = new Set(registry.catalogue().map(({ name }) => name));
    const family = modelFamilies.find(({ requests }) => requests.includes('gateway'));
    const read = [family?.requests, family?.latency, family?.wait, family?.batchRows, family?.queuedRows, ...Object.values(replicaFamily)];
    expect(read.filter((name) => !defined.has(name ?? ''))).toEqual([]);
  });

  test('two scrapes make rates, quantiles and means', async () => {
    const before = snapshotOfMetrics(await gatewayText(100), 1000);
    const after = snapshotOfMetrics(await gatewayText(200), 3000);
    if (before === undefined || after === undefined) throw new Error('no snapshot');
    const [model] = linesBetween(before.models, after.models, 2000);
    expect(model).toMatchObject({
      name: 'm',
      perSecond: 45,
      failedPerSecond: 5,
      meanBatchRows: 2,
    });
    expect(model?.meanWaitMs).toBeCloseTo(1, 5);
    expect(model?.meanMs).toBeCloseTo(3, 5);
    // 3 ms lies in the bucket from 2.5 to 5 ms.
    expect(model?.p50Ms).toBeGreaterThan(2.5);
    expect(model?.p99Ms).toBeLessThanOrEqual(5);
    expect(linesBetween(before.replicas, after.replicas, 2000).map(({ name, perSecond, state }) => [name, perSecond, state])).toEqual([
      ['replica-0', 50, 'ready'],
      ['replica-1', 0, 'not ready'],
    ]);
    expect(after.queuedRows).toBe(7);
  });

  test('a restarted server counts from zero and gives no negative rates', async () => {
    const before = snapshotOfMetrics(await gatewayText(200), 1000);
    const after = snapshotOfMetrics(await gatewayText(20), 2000);
    const [model] = linesBetween(before?.models ?? [], after?.models ?? [], 1000);
    expect(model).toMatchObject({ perSecond: 18, failedPerSecond: 2 });
  });

  test('the text of something else is no snapshot', () => {
    expect(snapshotOfMetrics('up 1\n', 0)).toBeUndefined();
  });
});

const line = {
  name: 'm',
  version: '',
  perSecond: 1234,
  failedPerSecond: 0,
  p50Ms: 1.5,
  p99Ms: 12,
  meanMs: 2,
  meanWaitMs: undefined,
  meanBatchRows: 3.5,
  state: undefined,
};

test('the table with quantiles and replicas', () => {
  const view = {
    address: 'a:1',
    source: { kind: 'metrics', url: 'http://a:2/metrics' } as const,
    intervalMs: 1000,
    models: [line],
    replicas: [{ ...line, name: 'replica-0', state: 'ejected' }],
    queuedRows: 4,
  };
  expect(renderTop(view, pc.createColors(false))).toBe(`a:1  last 1.00 s, 4 rows queued, quantiles from http://a:2/metrics

MODEL  REQ/S  FAILED/S      P50      P99  WAIT  ROWS/RUN
m      1,234         0  1.50 ms  12.0 ms     -      3.50

REPLICA    STATE    RUNS/S  RUN P50  RUN P99
replica-0  ejected   1,234  1.50 ms  12.0 ms
`);
});

test('the table with means says that they are', () => {
  const view = {
    address: 'a:1',
    source: { kind: 'statistics', why: 'give --metrics-address for quantiles' } as const,
    intervalMs: 1000,
    models: [{ ...line, version: '2', p50Ms: undefined, p99Ms: undefined }],
    replicas: [],
    queuedRows: undefined,
  };
  expect(renderTop(view, pc.createColors(false)))
    .toBe(`a:1  last 1.00 s, latency is a MEAN, from ModelStatistics (give --metrics-address for quantiles)

MODEL  VERSION  REQ/S  FAILED/S     MEAN  WAIT  ROWS/RUN
m            2  1,234         0  2.00 ms     -      3.50
`);
});

test.each([
  ['127.0.0.1:8001', '127.0.0.1:8002'],
  ['localhost:9000', 'localhost:9001'],
  ['inference.example.com:443', undefined],
])('the metrics of %s are looked for at %s', (address, expected) => {
  expect(guessMetricsAddress(address)).toBe(expected);
});
