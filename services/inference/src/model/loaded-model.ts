import { join } from 'node:path';
import type { Logger } from '@headrace/runtime';
import { describeError } from '@headrace/runtime';
import type { ModelSettings, ProviderSettings, WarmupSetting } from '../config/settings.js';
import type { ModelInstance } from '../instance/instance.js';
import { openInstance } from '../instance/instance.js';
import type { TensorInTransit } from '../instance/protocol.js';
import type { ThreadKind, ThreadLease, ThreadPool } from '../instance/thread-pool.js';
import type { ModelSignature } from '../tensors/signature.js';
import { checkBatching } from './batch-check.js';
import { settingsProblems } from './check-settings.js';
import { madeUpInputs, seededRandom } from './made-up-inputs.js';

/** A model version whose instances are open. */
export interface LoadedModel {
  readonly settings: ModelSettings;
  readonly signature: ModelSignature;
  readonly instances: readonly ModelInstance[];
  readonly provider: ProviderSettings;
  readonly threadKind: ThreadKind;
  /** Why requests are never merged although the configuration declares a batch size; changes at most once, at run time. */
  unmergedReason: string | undefined;
}

export interface LoadOptions {
  readonly settings: ModelSettings;
  readonly versionPath: string;
  readonly versionBytes: number;
  readonly provider: ProviderSettings;
  readonly threads: ThreadPool;
  readonly threadKindBefore: ThreadKind | undefined;
  readonly logger: Logger;
}

/** @throws Error that says why; nothing stays open then. */
export async function loadModel(options: LoadOptions): Promise<LoadedModel> {
  const leases = await options.threads.lease(options.settings.instances, options.threadKindBefore);
  const instances: ModelInstance[] = [];
  try {
    const provider = await openAll(options, leases, instances);
    const signature = instances[0]?.signature;
    if (signature === undefined) throw new Error('no instance was opened');
    const problems = settingsProblems(options.settings, signature);
    if (problems.length > 0) throw new Error(`${options.settings.source} contradicts the graph: ${problems.join('; ')}`);
    return {
      settings: options.settings,
      signature,
      instances,
      provider,
      threadKind: leases[0]?.kind ?? 'own',
      unmergedReason: await unmergedReason(options, signature, instances),
    };
  } catch (error) {
    await Promise.all(instances.map((instance) => instance.close()));
    await Promise.all(leases.map((lease) => lease.release()));
    throw error;
  }
}

/** One after the other, so that what resident memory grew by belongs to one instance. */
async function openAll(options: LoadOptions, leases: readonly ThreadLease[], instances: ModelInstance[]): Promise<ProviderSettings> {
  const { settings, logger } = options;
  let provider = options.provider;
  for (const [index, lease] of leases.entries()) {
    const open = async (): Promise<ModelInstance> =>
      openInstance(index, lease, join(options.versionPath, settings.modelFile), options.versionBytes, {
        provider,
        intraOpThreads: settings.instances.intraOpThreads,
      });
    try {
      instances.push(await open());
    } catch (error) {
      if (index > 0 || provider.name === 'cpu' || provider.fallback === undefined) throw error;
      logger.warn(
        { model: settings.name, provider: provider.name, fallback: provider.fallback, reason: describeError(error) },
        'execution provider not available: falling back',
      );
      provider = { name: provider.fallback, deviceId: 0, fallback: undefined };
      instances.push(await open());
    }
  }
  return provider;
}

async function unmergedReason(
  { settings, logger }: LoadOptions,
  signature: ModelSignature,
  instances: readonly ModelInstance[],
): Promise<string | undefined> {
  const [first] = instances;
  if (settings.batching.maxBatchSize === 0 || first === undefined) return undefined;
  const check = await checkBatching(
    signature,
    async (inputs) => runOnce(first, inputs),
    settings.warmup.find((warmup) => warmup.inputs.size > 0),
  );
  if (check.mayMerge) return undefined;
  logger.error({ model: settings.name, reason: check.reason }, 'the model is declared batchable and is not: it is served without batching');
  return check.reason;
}

/**
 * Runs each instance before it counts as ready, so that no request pays for the first run's allocations. What the
 * configuration states must succeed; what is made up here may fail, since a graph can refuse made-up inputs.
 *
 * @throws Error naming the warm-up that failed.
 */
export async function warmUp(loaded: LoadedModel, logger: Logger): Promise<void> {
  const { settings, signature } = loaded;
  const { maxBatchSize } = settings.batching;
  const stated = settings.warmup.length > 0;
  const plan: readonly WarmupSetting[] = stated
    ? settings.warmup
    : [...new Set([1, Math.max(1, maxBatchSize)])].map((rows) => ({ name: `${rows} rows`, rows, runs: 1, inputs: new Map() }));
  await Promise.all(
    loaded.instances.map(async (instance) => {
      for (const warmup of plan) {
        try {
          for (let run = 0; run < warmup.runs; run++) {
            await runOnce(instance, madeUpInputs(signature, maxBatchSize > 0 ? warmup.rows : undefined, seededRandom(run), warmup));
          }
        } catch (error) {
          const reason = `warm-up ${JSON.stringify(warmup.name)}: ${describeError(error)}`;
          if (stated) throw new Error(reason, { cause: error });
          logger.warn(
            { model: settings.name, instance: instance.id, reason },
            'the made-up warm-up failed; the first requests may be slower',
          );
          return;
        }
      }
    }),
  );
}

function runOnce(instance: ModelInstance, inputs: readonly TensorInTransit[]): Promise<readonly TensorInTransit[]> {
  // Copies: the caller compares its inputs' rows afterwards, and a transfer would empty them.
  const copies = inputs.map((input) => ({ ...input, buffer: input.buffer.slice(0) }));
  return new Promise((resolve, reject) => {
    instance.run(
      copies,
      instance.signature.outputs.map((_, index) => index),
      (outcome) => {
        instance.lease.turns.offer(instance);
        if (outcome.ok) resolve(outcome.outputs);
        else reject(new Error(outcome.message));
      },
    );
  });
}
