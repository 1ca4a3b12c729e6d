import { inferenceService } from '@headrace/proto';
import { HeadraceError } from '@headrace/runtime';
import type { MethodHandler } from '@headrace/wire';
import { unary } from '@headrace/wire';
import type { LoadedModel } from '../model/loaded-model.js';
import type { DurationCounter, ModelStatistics as Counters, StatisticsBook } from '../statistics/model-statistics.js';
import { decoded } from './metadata.js';
import type { ServiceParts } from './state.js';

const { ModelStatistics } = inferenceService.methods;

export function statisticsMethods({ host }: ServiceParts, book: StatisticsBook): readonly MethodHandler[] {
  return [
    unary(ModelStatistics.path, async (message) => {
      const { name, version } = decoded(ModelStatistics.request, message);
      // No name: all models; no version: all versions of the model.
      const models = name === '' ? host.models : [host.find(name)];
      if (name !== '' && models[0] === undefined) throw refusalOf(name, version);
      const model_stats = models.flatMap((model) =>
        (model?.activeVersions ?? [])
          .filter((number) => version === '' || name === '' || String(number) === version)
          .flatMap((number) => {
            const state = model?.active(number)?.state;
            return model === undefined || state?.kind !== 'ready'
              ? []
              : [entry(model.name, number, state.loaded, book.of(model.name, number))];
          }),
      );
      if (name !== '' && model_stats.length === 0) throw refusalOf(name, version);
      return ModelStatistics.response.encode({ model_stats });
    }),
  ];

  function refusalOf(name: string, version: string): HeadraceError {
    const found = host.resolve(name, version);
    return found.ok ? HeadraceError.of('MODEL_NOT_READY', `model ${JSON.stringify(name)} is not ready`) : new HeadraceError(found.refusal);
  }
}

function entry(name: string, version: number, loaded: LoadedModel, counters: Counters): object {
  const infer = durationOf(counters.computeInfer);
  return {
    name,
    version: String(version),
    last_inference: String(Math.round(counters.lastInferenceMs)),
    inference_count: String(counters.inferenceCount),
    execution_count: String(counters.executionCount),
    inference_stats: {
      success: durationOf(counters.success),
      fail: durationOf(counters.fail),
      queue: durationOf(counters.queue),
      compute_input: durationOf(counters.computeInput),
      compute_infer: infer,
      compute_output: durationOf(counters.computeOutput),
    },
    batch_stats: [...counters.batches]
      .sort(([a], [b]) => a - b)
      .map(([rows, batch]) => ({
        batch_size: String(rows),
        compute_input: durationOf(batch.computeInput),
        compute_infer: durationOf(batch.computeInfer),
        compute_output: durationOf(batch.computeOutput),
      })),
    memory_usage: loaded.instances.map((instance) => ({
      type: instance.provider === 'cpu' ? 'CPU' : 'GPU',
      id: instance.id,
      byte_size: String(instance.memoryBytes),
    })),
  };
}

function durationOf({ count, ns }: DurationCounter): { count: string; ns: string } {
  return { count: String(count), ns: BigInt(ns).toString() };
}
