import type { MetricsRegistry } from '@headrace/runtime';
import { batchRowsBuckets } from '@headrace/runtime';

/** The metrics of one model version, labels bound. */
export interface ModelMetrics {
  /** `reason` is OK or that of the refusal. */
  answered(reason: string, totalMs: number, queueMs: number | undefined): void;
  ran(rows: number, runNs: number): void;
  queued(rows: number): void;
  ready(is: boolean): void;
  memory(instance: string, bytes: number): void;
  loaded(outcome: 'ready' | 'failed', loadMs: number): void;
  /** Gauges of a version that is gone; counters and histograms stay. */
  forget(instances: number): void;
}

export interface InferenceMetrics {
  /** Refused before a model version was found. */
  refused(reason: string): void;
  of(model: string, version: number): ModelMetrics;
}

export interface InferenceMetricsSources {
  readonly threads: () => number;
  readonly pooledBytes: () => number;
}

/** Defines every metric of the inference server. */
export function defineInferenceMetrics(registry: MetricsRegistry, sources: InferenceMetricsSources): InferenceMetrics {
  const versionLabels = ['model', 'version'] as const;
  const requests = registry.defineCounter({
    name: 'headrace_inference_requests_total',
    help: 'Inference requests answered, by outcome: OK or the reason of the refusal.',
    labels: ['model', 'version', 'reason'],
  });
  const request = registry.defineHistogram({
    name: 'headrace_inference_request_seconds',
    help: 'From the arrival of an inference request to its reply.',
    labels: versionLabels,
  });
  const queue = registry.defineHistogram({
    name: 'headrace_inference_queue_seconds',
    help: 'From the arrival of an inference request to its outcome, less the run itself: what it waited.',
    labels: versionLabels,
  });
  const run = registry.defineHistogram({
    name: 'headrace_inference_run_seconds',
    help: 'Run time of the model alone, one observation for each run.',
    labels: versionLabels,
  });
  const rows = registry.defineHistogram({
    name: 'headrace_inference_batch_rows',
    help: 'Rows that ran together, one observation for each run.',
    labels: versionLabels,
    buckets: batchRowsBuckets,
  });
  const queuedRows = registry.defineGauge({
    name: 'headrace_inference_queued_rows',
    help: 'Rows that wait for a run.',
    labels: versionLabels,
  });
  const ready = registry.defineGauge({
    name: 'headrace_inference_model_ready',
    help: '1 while the model version takes requests.',
    labels: versionLabels,
  });
  const memory = registry.defineGauge({
    name: 'headrace_inference_instance_memory_bytes',
    help: 'Memory counted for one model instance: the larger of its files and of what resident memory grew by at load.',
    labels: ['model', 'version', 'instance'],
  });
  const loads = registry.defineCounter({
    name: 'headrace_inference_loads_total',
    help: 'Model loads by outcome: ready or failed.',
    labels: ['model', 'outcome'],
  });
  const load = registry.defineHistogram({
    name: 'headrace_inference_load_seconds',
    help: 'From the start of a load to ready: sessions, batch check and warm-up.',
    labels: ['model'],
  });
  registry.defineGauge({ name: 'headrace_inference_worker_threads', help: 'Threads that host model instances.', read: sources.threads });
  registry.defineGauge({ name: 'headrace_inference_pooled_bytes', help: 'Input buffers kept for reuse.', read: sources.pooledBytes });

  return {
    refused: (reason) => requests.inc({ model: '', version: '', reason }),
    of(model, versionNumber) {
      const version = String(versionNumber);
      const labels = { model, version };
      const answered = new Map<string, () => void>();
      const observeRequest = request.bound(labels);
      const observeQueue = queue.bound(labels);
      const observeRun = run.bound(labels);
      const observeRows = rows.bound(labels);
      // Again after `forget`: a version may come back, and its gauge with it.
      let setQueued: ((count: number) => void) | undefined;
      return {
        answered(reason, totalMs, queueMs) {
          let count = answered.get(reason);
          if (count === undefined) answered.set(reason, (count = requests.bound({ model, version, reason })));
          count();
          observeRequest(totalMs / 1e3);
          if (queueMs !== undefined) observeQueue(queueMs / 1e3);
        },
        ran(ranRows, runNs) {
          observeRun(runNs / 1e9);
          observeRows(ranRows);
        },
        queued(count) {
          setQueued ??= queuedRows.bound(labels);
          setQueued(count);
        },
        ready: (is) => ready.set(labels, is ? 1 : 0),
        memory: (instance, bytes) => memory.set({ model, version, instance }, bytes),
        loaded(outcome, loadMs) {
          loads.inc({ model, outcome });
          if (outcome === 'ready') load.observe({ model }, loadMs / 1e3);
        },
        forget(instances) {
          queuedRows.remove(labels);
          setQueued = undefined;
          ready.remove(labels);
          for (let instance = 0; instance < instances; instance++) memory.remove({ model, version, instance: String(instance) });
        },
      };
    },
  };
}
