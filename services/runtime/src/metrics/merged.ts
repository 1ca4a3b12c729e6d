import { AggregatorRegistry, Registry } from 'prom-client';
import type { MetricObjectWithValues, MetricValue } from 'prom-client';

/** The values of one process's registry, as plain data that may cross to another process. */
export type MetricsSnapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

/**
 * One exposition for several processes of one program. What a process counted stays when it is gone: a sum that fell by
 * one process's share would read as a restart of the counter, and the rate over it would leap.
 */
export class MergedMetrics {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE;
  readonly #latest = new Map<number, MetricsSnapshot>();
  #gone: readonly MetricsSnapshot[] = [];

  /** The newest values of a process, in the place of those before. */
  update(process: number, snapshot: MetricsSnapshot): void {
    this.#latest.set(process, snapshot);
  }

  /** The process has ended: its gauges go, its counts stay as they were last told. */
  remove(process: number): void {
    const last = this.#latest.get(process);
    if (last === undefined) return;
    this.#latest.delete(process);
    this.#gone = [...this.#gone, last.filter(({ type }) => isCount(type))];
  }

  async exposition(): Promise<string> {
    // However many have ended, their counts are kept as one.
    const gone = this.#gone;
    const together = await merge(gone).getMetricsAsJSON();
    this.#gone = [together, ...this.#gone.filter((each) => !gone.includes(each))];
    return merge([...this.#latest.values(), ...this.#gone]).metrics();
  }
}

/** prom-client's types name a metric's type by an enum in some places and by a word in others. */
function isCount(type: unknown): boolean {
  return type === 'counter' || type === 'histogram';
}

function merge(snapshots: readonly MetricsSnapshot[]): Registry {
  return AggregatorRegistry.aggregate(snapshots.map((each) => [...each]));
}
