import type { Clock, Timer } from '../clock.js';
import type { Logger } from '../log/logger.js';

export type LifecycleState = 'running' | 'draining' | 'drained';

export interface LifecycleOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** For all steps together. Keep it below Kubernetes' terminationGracePeriodSeconds (30 s by default). */
  readonly graceMs: number;
}

interface DrainStep {
  readonly name: string;
  readonly run: (graceMs: number) => Promise<void>;
}

/**
 * The end of a process, in order and once. Steps run in the order of their registration, each told what is left of the
 * grace; register what takes traffic first and what others lean on (metrics, logs) last. A step that fails or outlives
 * the grace is logged, and the next one runs all the same.
 */
export class Lifecycle {
  readonly #options: LifecycleOptions;
  readonly #steps: DrainStep[] = [];
  #state: LifecycleState = 'running';
  #drain: Promise<void> | undefined;
  #clean = true;

  constructor(options: LifecycleOptions) {
    this.#options = options;
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /** False once a drain step failed or was given up: the process should not claim a clean exit. */
  get clean(): boolean {
    return this.#clean;
  }

  onDrain(name: string, run: (graceMs: number) => Promise<void>): void {
    if (this.#state !== 'running') throw new Error(`drain step "${name}" was registered while the process is ${this.#state}`);
    this.#steps.push({ name, run });
  }

  /** Runs all steps; a second call, whatever its reason, waits for the first. Never rejects. */
  drain(reason: string): Promise<void> {
    this.#drain ??= this.#runAll(reason);
    return this.#drain;
  }

  async #runAll(reason: string): Promise<void> {
    const { clock, logger, graceMs } = this.#options;
    this.#state = 'draining';
    const startedMs = clock.nowMs();
    logger.info({ reason, graceMs, steps: this.#steps.length }, 'draining');
    for (const step of this.#steps) await this.#runStep(step, Math.max(0, startedMs + graceMs - clock.nowMs()));
    this.#state = 'drained';
    logger.info({ reason, tookMs: Math.round(clock.nowMs() - startedMs), clean: this.#clean }, 'drained');
  }

  async #runStep(step: DrainStep, graceMs: number): Promise<void> {
    const { clock, logger } = this.#options;
    let timer: Timer | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = clock.setTimer(() => resolve('late'), graceMs + lateMs);
    });
    try {
      const done = step.run(graceMs).then(() => 'done' as const);
      // A step given up may still reject later; that must not become an unhandled rejection.
      done.catch(() => {});
      if ((await Promise.race([done, late])) === 'late') {
        this.#clean = false;
        logger.warn({ step: step.name, graceMs }, 'drain step given up');
      }
    } catch (error) {
      this.#clean = false;
      logger.error({ step: step.name, error }, 'drain step failed');
    } finally {
      timer?.cancel();
    }
  }
}

/** A step that uses all of its grace and then cuts off its work needs a moment for the cutting. */
const lateMs = 500;
