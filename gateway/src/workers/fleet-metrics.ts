import { MergedMetrics } from '@headrace/runtime';
import type { Clock, MetricsRegistry, MetricsSnapshot, MetricsSource } from '@headrace/runtime';

export interface FleetMetricsOptions {
  readonly clock: Clock;
  /** Of the primary itself. */
  readonly own: MetricsRegistry;
  readonly workers: () => readonly number[];
  readonly ask: (worker: number, scrape: number) => void;
}

const ownNumber = 0;
/** A worker that does not answer within this is shown as it was. */
const patienceMs = 1_000;

/** One /metrics for all workers: each is asked at a scrape. */
export class FleetMetrics implements MetricsSource {
  readonly contentType: string;
  readonly #options: FleetMetricsOptions;
  readonly #merged = new MergedMetrics();
  #scrape = 0;
  #awaited = new Set<number>();
  #done: (() => void) | undefined;

  constructor(options: FleetMetricsOptions) {
    this.#options = options;
    this.contentType = this.#merged.contentType;
  }

  /** One at a time: the metrics server sees to that. */
  async exposition(): Promise<string> {
    const { clock, own, workers, ask } = this.#options;
    const scrape = ++this.#scrape;
    this.#awaited = new Set(workers());
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(resolve, patienceMs);
      this.#done = () => {
        timer.cancel();
        resolve();
      };
      for (const worker of this.#awaited) ask(worker, scrape);
      this.#doneIfAll();
    });
    this.#merged.update(ownNumber, await own.snapshot());
    return this.#merged.exposition();
  }

  answered(worker: number, scrape: number, snapshot: MetricsSnapshot): void {
    // Its last words may come after its end.
    if (!this.#options.workers().includes(worker)) return;
    this.#merged.update(worker, snapshot);
    if (scrape !== this.#scrape) return;
    this.#awaited.delete(worker);
    this.#doneIfAll();
  }

  gone(worker: number): void {
    this.#merged.remove(worker);
    this.#awaited.delete(worker);
    this.#doneIfAll();
  }

  #doneIfAll(): void {
    if (this.#awaited.size === 0) this.#done?.();
  }
}
