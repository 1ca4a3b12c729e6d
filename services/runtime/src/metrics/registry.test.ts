import { describe, expect, it } from 'vitest';
import { MetricsRegistry, catalogueMarkdown } from './registry.js';

const bare = (maxSeriesPerMetric?: number) =>
  new MetricsRegistry({ processMetrics: false, ...(maxSeriesPerMetric === undefined ? {} : { maxSeriesPerMetric }) });

async function linesOf(registry: MetricsRegistry): Promise<string[]> {
  return (await registry.exposition()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('MetricsRegistry', () => {
  it('counts, gauges and observes under their labels', async () => {
    const registry = bare();
    const requests = registry.defineCounter({ name: 'headrace_requests_total', help: 'h', labels: ['model', 'code'] });
    const queued = registry.defineGauge({ name: 'headrace_queued_rows', help: 'h' });
    const latency = registry.defineHistogram({ name: 'headrace_run_seconds', help: 'h', labels: ['model'], buckets: [0.1, 1] });
    requests.inc({ model: 'a', code: 'OK' });
    requests.inc({ model: 'a', code: 'OK' }, 2);
    queued.set({}, 5);
    queued.add({}, -2);
    latency.observe({ model: 'a' }, 0.5);
    expect(await linesOf(registry)).toEqual([
      'headrace_requests_total{model="a",code="OK"} 3',
      'headrace_queued_rows 3',
      'headrace_run_seconds_bucket{le="0.1",model="a"} 0',
      'headrace_run_seconds_bucket{le="1",model="a"} 1',
      'headrace_run_seconds_bucket{le="+Inf",model="a"} 1',
      'headrace_run_seconds_sum{model="a"} 0.5',
      'headrace_run_seconds_count{model="a"} 1',
    ]);
  });

  it('puts an observation into the first bucket whose bound it does not exceed, and counts on over scrapes', async () => {
    const registry = bare();
    const sizes = registry.defineHistogram({ name: 'headrace_rows', help: 'h', buckets: [1, 2] });
    const seen = registry.defineCounter({ name: 'headrace_seen_total', help: 'h' });
    for (const rows of [1, 2, 2.5]) {
      sizes.observe({}, rows);
      seen.inc({});
      await registry.exposition();
    }
    expect(await linesOf(registry)).toEqual([
      'headrace_rows_bucket{le="1"} 1',
      'headrace_rows_bucket{le="2"} 2',
      'headrace_rows_bucket{le="+Inf"} 3',
      'headrace_rows_sum 5.5',
      'headrace_rows_count 3',
      'headrace_seen_total 3',
    ]);
    expect(() => sizes.observe({}, Number.NaN)).toThrow('headrace_rows');
    expect(() => seen.inc({}, -1)).toThrow('headrace_seen_total');
  });

  it('forgets a series of each kind that is removed', async () => {
    const registry = bare();
    const labels = ['model'] as const;
    const metrics = [
      registry.defineGauge({ name: 'headrace_a', help: 'h', labels }),
      registry.defineCounter({ name: 'headrace_b_total', help: 'h', labels }),
      registry.defineHistogram({ name: 'headrace_c', help: 'h', labels, buckets: [1] }),
    ] as const;
    metrics[0].set({ model: 'm' }, 1);
    metrics[1].inc({ model: 'm' });
    metrics[2].observe({ model: 'm' }, 1);
    expect(await linesOf(registry)).toHaveLength(6);
    for (const metric of metrics) metric.remove({ model: 'm' });
    expect(await linesOf(registry)).toEqual([]);
  });

  it('reads a gauge at each scrape where asked to', async () => {
    const registry = bare();
    let value = 1;
    registry.defineGauge({ name: 'headrace_value', help: 'h', read: () => value });
    expect(await linesOf(registry)).toEqual(['headrace_value 1']);
    value = 2;
    expect(await linesOf(registry)).toEqual(['headrace_value 2']);
  });

  it('bounds the series of a metric, and takes new ones when old ones go', async () => {
    const registry = bare(2);
    const counter = registry.defineCounter({ name: 'headrace_x_total', help: 'h', labels: ['model'] });
    for (const model of ['a', 'b', 'c', 'd', 'a']) counter.inc({ model });
    expect(await linesOf(registry)).toEqual([
      'headrace_x_total{model="a"} 2',
      'headrace_x_total{model="b"} 1',
      'headrace_x_total{model="other"} 2',
    ]);
    counter.remove({ model: 'b' });
    counter.inc({ model: 'e' });
    expect(await linesOf(registry)).toEqual(expect.arrayContaining(['headrace_x_total{model="e"} 1']));
    expect((await linesOf(registry)).join()).not.toContain('"b"');
  });

  it('refuses a name defined twice, and a counter that does not end in _total', () => {
    const registry = bare();
    registry.defineGauge({ name: 'headrace_a', help: 'h' });
    expect(() => registry.defineHistogram({ name: 'headrace_a', help: 'h' })).toThrow('headrace_a');
    expect(() => registry.defineCounter({ name: 'headrace_b', help: 'h' })).toThrow('_total');
  });

  it('lists its definitions by name, as data and as a table', () => {
    const registry = bare();
    registry.defineGauge({ name: 'headrace_b', help: 'Second.' });
    registry.defineCounter({ name: 'headrace_a_total', help: 'First.', labels: ['model'] });
    expect(registry.catalogue()).toEqual([
      { type: 'counter', name: 'headrace_a_total', help: 'First.', labels: ['model'] },
      { type: 'gauge', name: 'headrace_b', help: 'Second.', labels: [] },
    ]);
    expect(catalogueMarkdown(registry.catalogue())).toContain('| `headrace_a_total` | counter | `model` | First. |');
  });

  it('has the process and event loop metrics unless told otherwise', async () => {
    const text = await new MetricsRegistry().exposition();
    expect(text).toContain('process_cpu_seconds_total');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
    expect(await linesOf(bare())).toEqual([]);
  });
});
