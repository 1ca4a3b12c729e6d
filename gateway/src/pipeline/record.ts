import type { Logger } from '@headrace/runtime';
import type { BackendView } from '../domain/backend-view.js';
import { unknownModel } from '../metrics.js';
import type { GatewayMetrics } from '../metrics.js';

/** Puts what the pipeline does into metrics and log; decides nothing. */
export class PipelineRecord {
  readonly #metrics: GatewayMetrics;
  readonly #logger: Logger;

  constructor(metrics: GatewayMetrics, logger: Logger) {
    this.#metrics = metrics;
    this.#logger = logger;
  }

  /** A model that no backend has is a client's invention and gets no series of its own. */
  ended(model: string, known: boolean, reason: string): void {
    this.#metrics.requests.inc({ model: known ? model : unknownModel, reason });
  }

  answered(model: string, elapsedMs: number): void {
    this.#metrics.requestSeconds.observe({ model }, elapsedMs / 1000);
  }

  runStarted(model: string, rows: number): void {
    this.#metrics.batchRows.observe({ model }, rows);
  }

  /** A request of a run that started. */
  waited(model: string, waitMs: number): void {
    this.#metrics.queueSeconds.observe({ model }, waitMs / 1000);
  }

  runAnswered(model: string, backend: string, elapsedMs: number): void {
    this.#metrics.runSeconds.observe({ model, backend }, elapsedMs / 1000);
  }

  retried(model: string, kind: 'elsewhere' | 'alone'): void {
    this.#metrics.retries.inc({ model, kind });
  }

  retryDenied(model: string): void {
    this.#metrics.retriesDenied.inc({ model });
  }

  unsplittable(model: string, version: string, problem: string, first: boolean): void {
    this.#metrics.unsplittable.inc({ model });
    if (!first) return;
    const advice = 'a batch reply cannot be split by rows: batching of this model has stopped; declare max_batch_size 0 for it';
    this.#logger.error({ model, version, problem }, advice);
  }

  unformed(error: unknown, members: number): void {
    this.#logger.error({ error, members }, 'a batch could not be formed; its members run alone');
  }

  backends(before: readonly BackendView[], now: readonly BackendView[]): void {
    const { backendReady, backendEjected, breakerOpen } = this.#metrics;
    const present = new Set(now.map(({ name }) => name));
    for (const { name } of before) {
      if (!present.has(name)) for (const gauge of [backendReady, backendEjected, breakerOpen]) gauge.remove({ backend: name });
    }
    for (const { name, state } of now) backendReady.set({ backend: name }, state === 'ready' ? 1 : 0);
  }

  standing(backend: string, standing: 'steady' | 'ejected' | 'probing'): void {
    this.#metrics.backendEjected.set({ backend }, standing === 'ejected' ? 1 : 0);
    if (standing === 'ejected') {
      this.#metrics.backendEjections.inc({ backend });
      this.#logger.warn({ backend }, 'backend is slow and was set aside');
    } else this.#logger.info({ backend, standing }, 'backend takes part again');
  }

  breaker(backend: string, state: 'closed' | 'open' | 'halfOpen'): void {
    this.#metrics.breakerOpen.set({ backend }, state === 'open' ? 1 : 0);
    this.#logger.warn({ backend, state }, 'circuit breaker changed');
  }
}
