/**
 * Counters of one model version in Triton's meaning (docs/user_guide/metrics and the statistics extension):
 *
 *     inference_count   rows that were inferred (a request with 3 rows counts 3)
 *     execution_count   runs of the model (a batch counts 1)
 *     success, fail     requests; ns = from arrival to reply
 *     queue             requests; ns = from arrival to the run's outcome less the run (compute_*): all that was waiting
 *     compute_*         requests; ns = of the run that served them
 *     batch_stats       for each batch size (rows): runs and their times
 *
 * They belong to (model, version) for the life of the process: a reload or a new generation goes on counting.
 */
export interface DurationCounter {
  count: number;
  /** As a number: whole nanoseconds up to 2^53, that is 104 days of it; beyond, of 16 digits. */
  ns: number;
}

interface BatchCounters {
  readonly computeInput: DurationCounter;
  readonly computeInfer: DurationCounter;
  readonly computeOutput: DurationCounter;
}

export interface RunTimes {
  readonly inputNs: number;
  readonly runNs: number;
  readonly outputNs: number;
}

/** Row counts above this share one entry, so that hostile batch sizes cannot grow the map. */
const maxBatchEntries = 1024;

export class ModelStatistics {
  readonly success = duration();
  readonly fail = duration();
  readonly queue = duration();
  readonly computeInput = duration();
  readonly computeInfer = duration();
  readonly computeOutput = duration();
  readonly batches = new Map<number, BatchCounters>();
  inferenceCount = 0;
  executionCount = 0;
  /** Milliseconds since 1970; 0 before the first. */
  lastInferenceMs = 0;

  /** One run that ended well, with `rows` rows for `requests` requests. */
  ran(rows: number, requests: number, times: RunTimes, wallMs: number): void {
    this.executionCount += 1;
    this.inferenceCount += rows;
    this.lastInferenceMs = wallMs;
    add(this.computeInput, times.inputNs * requests, requests);
    add(this.computeInfer, times.runNs * requests, requests);
    add(this.computeOutput, times.outputNs * requests, requests);
    const size = this.batches.size < maxBatchEntries || this.batches.has(rows) ? rows : 0;
    let batch = this.batches.get(size);
    if (batch === undefined)
      this.batches.set(size, (batch = { computeInput: duration(), computeInfer: duration(), computeOutput: duration() }));
    add(batch.computeInput, times.inputNs);
    add(batch.computeInfer, times.runNs);
    add(batch.computeOutput, times.outputNs);
  }

  succeeded(totalMs: number, queueMs: number): void {
    add(this.success, totalMs * 1e6);
    add(this.queue, queueMs * 1e6);
  }

  failed(totalMs: number): void {
    add(this.fail, totalMs * 1e6);
  }
}

/** Statistics by model and version. Bounded: versions beyond the limit share nothing and are simply not kept. */
export class StatisticsBook {
  readonly #entries = new Map<string, ModelStatistics>();
  readonly #maxEntries: number;

  constructor(maxEntries = 100_000) {
    this.#maxEntries = maxEntries;
  }

  of(model: string, version: number): ModelStatistics {
    const key = `${version}/${model}`;
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const made = new ModelStatistics();
    if (this.#entries.size < this.#maxEntries) this.#entries.set(key, made);
    return made;
  }
}

function duration(): DurationCounter {
  return { count: 0, ns: 0 };
}

function add(counter: DurationCounter, ns: number, count = 1): void {
  counter.count += count;
  counter.ns += Math.max(0, Math.round(ns));
}
