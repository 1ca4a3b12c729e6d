import type { CostBook, Defer } from '@headrace/batching';
import type { Clock, Logger } from '@headrace/runtime';
import { describeError, refuse } from '@headrace/runtime';
import type { ModelSettings, ProviderSettings } from '../config/settings.js';
import { ModelExecution } from '../execute/model-execution.js';
import type { ThreadKind, ThreadPool } from '../instance/thread-pool.js';
import type { InferenceMetrics } from '../metrics.js';
import type { StatisticsBook } from '../statistics/model-statistics.js';
import type { BufferPool } from '../tensors/buffer-pool.js';
import { loadModel, warmUp } from './loaded-model.js';
import type { VersionState } from './state.js';

/** What every model version of a server leans on. */
export interface ModelParts {
  readonly threads: ThreadPool;
  readonly costs: CostBook;
  readonly defer?: Defer;
  readonly pool: BufferPool;
  readonly statistics: StatisticsBook;
  readonly metrics: InferenceMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
  /** For models that state no provider. */
  readonly provider: ProviderSettings;
}

export interface VersionSource {
  readonly model: string;
  readonly version: number;
  readonly path: string;
  readonly bytes: number;
  /** Changes with the version's files and with the model's configuration. */
  readonly print: string;
  readonly settings: ModelSettings;
}

export type ReadyState = Extract<VersionState, { kind: 'ready' }>;

/** One generation of one model version, from load to unload. */
export class ModelVersion {
  readonly source: VersionSource;
  readonly #parts: ModelParts;
  readonly #onState: (state: VersionState) => void;
  #state: VersionState = { kind: 'unavailable', reason: 'not loaded yet' };

  constructor(source: VersionSource, parts: ModelParts, onState: (state: VersionState) => void) {
    this.source = source;
    this.#parts = parts;
    this.#onState = onState;
  }

  get state(): VersionState {
    return this.#state;
  }

  /** To ready or failed; never rejects. `before` is the threads' kind of the generation that this one replaces. */
  async load(before: ThreadKind | undefined, onInstanceLost: () => void): Promise<void> {
    const { source } = this;
    const { clock, logger, threads, metrics } = this.#parts;
    const startedMs = clock.nowMs();
    const measured = metrics.of(source.model, source.version);
    if (source.settings.ignored.length > 0) {
      logger.warn(
        { model: source.model, version: source.version, ignored: source.settings.ignored },
        `${source.settings.source}: fields without effect here`,
      );
    }
    this.#set({ kind: 'loading' });
    try {
      const loaded = await loadModel({
        settings: source.settings,
        versionPath: source.path,
        versionBytes: source.bytes,
        provider: source.settings.provider ?? this.#parts.provider,
        threads,
        threadKindBefore: before,
        logger,
      });
      this.#set({ kind: 'warming', loaded });
      try {
        await warmUp(loaded, logger);
      } catch (error) {
        await Promise.all(loaded.instances.map((instance) => instance.close()));
        throw error;
      }
      const execution = new ModelExecution({
        ...this.#parts,
        model: source.model,
        version: source.version,
        signature: loaded.signature,
        instances: loaded.instances,
        batching: source.settings.batching,
        mayMerge: source.settings.batching.maxBatchSize > 0 && loaded.unmergedReason === undefined,
        statistics: this.#parts.statistics.of(source.model, source.version),
        metrics: measured,
        onMergeStopped: (reason) => (loaded.unmergedReason = reason),
      });
      for (const instance of loaded.instances) {
        measured.memory(instance.id, instance.memoryBytes);
        instance.onLost(onInstanceLost);
      }
      measured.ready(true);
      measured.loaded('ready', clock.nowMs() - startedMs);
      this.#set({ kind: 'ready', loaded, execution });
    } catch (error) {
      measured.loaded('failed', clock.nowMs() - startedMs);
      this.#set({ kind: 'failed', reason: describeError(error) });
    }
  }

  /** Lets what is in flight finish, then releases the instances. New requests must already go elsewhere. */
  async retire(last: boolean): Promise<void> {
    if (this.#state.kind !== 'ready') return;
    const { loaded, execution } = this.#state;
    const measured = this.#parts.metrics.of(this.source.model, this.source.version);
    if (last) measured.ready(false);
    this.#set({ kind: 'draining', loaded, execution });
    await execution.drained();
    execution.close(refuse('DRAINING', 'the model version is unloaded'));
    await Promise.all(loaded.instances.map((instance) => instance.close()));
    if (last) measured.forget(loaded.instances.length);
    this.#set({ kind: 'unloaded' });
  }

  #set(state: VersionState): void {
    this.#state = state;
    this.#onState(state);
  }
}
