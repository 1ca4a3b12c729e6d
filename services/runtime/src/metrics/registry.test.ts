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
