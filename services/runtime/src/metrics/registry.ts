import { Counter as PromCounter, Gauge as PromGauge, Registry, collectDefaultMetrics } from 'prom-client';
import { SeriesHistogram } from './histogram.js';
import type { MetricsSnapshot } from './merged.js';
import type { LabelValues } from './series.js';
import { SeriesTable } from './series.js';

/** What docs/reference/metrics.md says of a metric; the code that defines it is the only source. */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** `headrace_<part>_<what>_<unit>`; counters end in `_total`, times are in seconds, sizes in bytes (Prometheus conventions). */
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

export interface MetricSpec<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
  /** What the processes of one program make of it together; default: the sum. `max` where each tells the same thing. */
  readonly together?: 'sum' | 'max';
}

export interface GaugeSpec<L extends string> extends MetricSpec<L> {
  /** Read at each scrape instead of being set; only for gauges without labels. */
  readonly read?: () => number;
}

export interface HistogramSpec<L extends string> extends MetricSpec<L> {
  /** Upper bounds, ascending, in the metric's unit; `latencyBucketsS` when absent. */
  readonly buckets?: readonly number[];
}

export interface Counter<L extends string> {
  inc(labels: LabelValues<L>, by?: number): void;
  /** Counts under these labels without looking them up again; of no effect after `remove`. */
  bound(labels: LabelValues<L>): (by?: number) => void;
  remove(labels: LabelValues<L>): void;
}
export interface Gauge<L extends string> {
  set(labels: LabelValues<L>, value: number): void;
  bound(labels: LabelValues<L>): (value: number) => void;
  add(labels: LabelValues<L>, by: number): void;
  remove(labels: LabelValues<L>): void;
}
export interface Histogram<L extends string> {
  observe(labels: LabelValues<L>, value: number): void;
  bound(labels: LabelValues<L>): (value: number) => void;
  remove(labels: LabelValues<L>): void;
}

/** 100 us to 30 s in steps of about 2: the run of a tiny model to a request held for a cold start. */
export const latencyBucketsS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];
/** Powers of two, the sizes that batches tend to have. */
export const batchRowsBuckets: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

export interface MetricsRegistryOptions {
  /** Process and event loop metrics of prom-client (CPU, memory, event loop delay, GC). Default true. */
  readonly processMetrics?: boolean;
  /** Series per metric; what comes after is folded into one series whose labels all read "other". Default 5,000. */
  readonly maxSeriesPerMetric?: number;
}

/**
 * Definitions and values of all metrics of one process. Values are kept by series and handed to prom-client when somebody reads
 * them: a server counts some hundred thousand times a second and is scraped four times a minute. Defining a name twice throws: a package defines its metrics in
 * one place, as a function of the registry, and hands the typed handles on.
 */
export class MetricsRegistry {
  readonly #registry = new Registry();
  readonly #definitions = new Map<string, MetricDefinition>();
  readonly #maxSeries: number;

  constructor(options: MetricsRegistryOptions = {}) {
    this.#maxSeries = options.maxSeriesPerMetric ?? 5_000;
    if (options.processMetrics ?? true) collectDefaultMetrics({ register: this.#registry });
  }

  defineCounter<L extends string = never>(spec: MetricSpec<L>): Counter<L> {
    const labels = this.#add('counter', spec);
    const series = new SeriesTable(labels, this.#maxSeries, (values) => ({ values, pending: 0 }));
    const metric: PromCounter<L> = new PromCounter({
      name: spec.name,
      help: spec.help,
      labelNames: labels,
      aggregator: spec.together ?? 'sum',
      registers: [this.#registry],
      collect: () => {
        for (const one of series.all()) {
          // Zero makes the series known.
          metric.inc(one.values, one.pending);
          one.pending = 0;
        }
      },
    });
    const add = (one: { pending: number }, by: number): void => {
      if (!(by >= 0)) throw new RangeError(`counter ${spec.name}: expected an increment of 0 or more, got ${by}`);
      one.pending += by;
    };
    return {
      inc: (values, by = 1) => add(series.of(values), by),
      bound: (values) => {
        const one = series.of(values);
        return (by = 1) => add(one, by);
      },
      remove: (values) => {
        if (series.remove(values)) metric.remove(values);
      },
    };
  }

  defineGauge<L extends string = never>(spec: GaugeSpec<L>): Gauge<L> {
    const labels = this.#add('gauge', spec);
    const { read } = spec;
    if (read !== undefined && labels.length > 0) throw new TypeError(`gauge ${spec.name}: read is only for gauges without labels`);
    const series = new SeriesTable(labels, this.#maxSeries, (values) => ({ values, value: 0 }));
    const metric: PromGauge<L> = new PromGauge({
      name: spec.name,
      help: spec.help,
      labelNames: labels,
      aggregator: spec.together ?? 'sum',
      registers: [this.#registry],
      collect: () => {
        if (read !== undefined) metric.set(read());
        else for (const { values, value } of series.all()) metric.set(values, value);
      },
    });
    return {
      set: (values, value) => {
        series.of(values).value = value;
      },
      bound: (values) => {
        const one = series.of(values);
        return (value) => {
          one.value = value;
        };
      },
      add: (values, by) => {
        series.of(values).value += by;
      },
      remove: (values) => {
        if (series.remove(values)) metric.remove(values);
      },
    };
  }

  defineHistogram<L extends string = never>(spec: HistogramSpec<L>): Histogram<L> {
    const buckets = spec.buckets ?? latencyBucketsS;
    const labels = this.#add('histogram', spec, buckets);
    const metric = new SeriesHistogram(
      { name: spec.name, help: spec.help, labelNames: labels, buckets: [...buckets], registers: [this.#registry] },
      this.#maxSeries,
    );
    return {
      observe: (values, value) => metric.count(values, value),
      bound: (values) => metric.bound(values),
      remove: (values) => metric.forget(values),
    };
  }

  /** Headrace's own definitions by name (without the process metrics), for the reference and its test. */
  catalogue(): readonly MetricDefinition[] {
    return [...this.#definitions.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The Prometheus text exposition of all metrics. */
  async exposition(): Promise<string> {
    return this.#registry.metrics();
  }

  /** All values, for the process that adds them to those of others: see MergedMetrics. */
  async snapshot(): Promise<MetricsSnapshot> {
    return this.#registry.getMetricsAsJSON();
  }

  #add<L extends string>(type: MetricDefinition['type'], spec: MetricSpec<L>, buckets?: readonly number[]): L[] {
    const labels = [...(spec.labels ?? [])];
    if (this.#definitions.has(spec.name)) throw new Error(`metric ${spec.name} is defined twice`);
    if (type === 'counter' && !spec.name.endsWith('_total')) throw new Error(`counter ${spec.name} must end in _total`);
    this.#definitions.set(spec.name, { type, name: spec.name, help: spec.help, labels, ...(buckets === undefined ? {} : { buckets }) });
    return labels;
  }
}

/** The catalogue as a Markdown table, so that the reference page can be generated and compared. */
export function catalogueMarkdown(definitions: readonly MetricDefinition[]): string {
  const rows = definitions.map(
    ({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.map((l) => `\`${l}\``).join(', ')} | ${help} |`,
  );
  return ['| metric | type | labels | meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
}
