import { availableParallelism } from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { SystemSample } from './pressure.js';

/** Reads the process's own measures. The only part here that is not pure. */
export class SystemSampler {
  readonly #delay = monitorEventLoopDelay({ resolution: 10 });
  readonly #memoryLimitBytes: number;
  #cpu = process.cpuUsage();
  #wallMs: number;

  /** `memoryLimitBytes` of the container; by default the machine's or cgroup's as Node knows it. */
  constructor(nowMs: number, memoryLimitBytes = process.constrainedMemory()) {
    this.#memoryLimitBytes = memoryLimitBytes > 0 ? memoryLimitBytes : Infinity;
    this.#wallMs = nowMs;
    this.#delay.enable();
  }

  /** Since the call before. `backendQueue`: see SystemSample. */
  sample(nowMs: number, backendQueue: number): SystemSample {
    const used = process.cpuUsage(this.#cpu);
    const wallMs = nowMs - this.#wallMs;
    const delayMs = Math.max(0, this.#delay.percentile(99) / 1e6 - 10);
    this.#delay.reset();
    this.#cpu = process.cpuUsage();
    this.#wallMs = nowMs;
    const heap = getHeapStatistics();
    return {
      loopDelayP99Ms: delayMs,
      cpuShare: wallMs > 0 ? (used.user + used.system) / 1_000 / wallMs / availableParallelism() : 0,
      memoryShare: Math.max(heap.used_heap_size / heap.heap_size_limit, process.memoryUsage.rss() / this.#memoryLimitBytes),
      backendQueue,
    };
  }

  close(): void {
    this.#delay.disable();
  }
}
