import { inferenceService } from '@headrace/proto';
import { HeadraceError, statusCode } from '@headrace/runtime';
import { unary } from '@headrace/wire';
import type { MethodHandler } from '@headrace/wire';
import type { StandInEngine, StandInModel } from './stand-in-engine.js';

const { methods } = inferenceService;

/** What may change about a stand-in while it runs. */
export interface StandInState {
  ready: boolean;
  /** Models that the index lists as not ready, with the reason. */
  readonly unready: Map<string, string>;
  /** Loads and unloads that came. */
  readonly controlled: { readonly what: 'load' | 'unload'; readonly model: string }[];
  /** Loads and unloads fail with this text. */
  controlFailure: string | undefined;
}

/** The rare methods of a stand-in; with `coreOnly`, what a server that implements the core protocol alone offers. */
export function standInMethods(engine: StandInEngine, state: StandInState, coreOnly: boolean): MethodHandler[] {
  const find = (name: string): StandInModel => {
    const model = engine.models.get(name);
    if (model === undefined) throw HeadraceError.of('MODEL_NOT_FOUND', `unknown model ${name}`);
    return model;
  };
  const core = [
    unary(methods.ServerLive.path, async () => methods.ServerLive.response.encode({ live: true })),
    unary(methods.ServerReady.path, async () => methods.ServerReady.response.encode({ ready: state.ready })),
    unary(methods.ModelReady.path, async (message) => {
      const { name } = methods.ModelReady.request.decode(message);
      find(name);
      return methods.ModelReady.response.encode({ ready: state.ready && !state.unready.has(name) });
    }),
    unary(methods.ModelMetadata.path, async (message) => {
      const { name } = methods.ModelMetadata.request.decode(message);
      const model = find(name);
      const inputs = inputsOf(model);
      return methods.ModelMetadata.response.encode({
        name,
        versions: [...(model.versions ?? ['1'])],
        platform: 'stand-in',
        inputs: inputs.map((input) => ({ ...input, shape: [...input.shape] })),
        outputs: inputs.map((input) => ({ ...input, name: `${input.name}_out`, shape: [...input.shape] })),
      });
    }),
  ];
  return coreOnly ? core : [...core, ...repository(engine, state, find)];
}

function repository(engine: StandInEngine, state: StandInState, find: (name: string) => StandInModel): MethodHandler[] {
  const control = (what: 'load' | 'unload', model: string): void => {
    if (state.controlFailure !== undefined) throw HeadraceError.of('MODEL_LOAD_FAILED', state.controlFailure);
    state.controlled.push({ what, model });
    if (what === 'load') state.unready.delete(model);
    else state.unready.set(model, 'unloaded');
  };
  return [
    unary(methods.RepositoryIndex.path, async () => {
      const models = [...engine.models.values()].flatMap((model) =>
        (model.versions ?? ['1']).map((version) => {
          const reason = state.unready.get(model.name);
          return { name: model.name, version, state: reason === undefined ? 'READY' : 'UNAVAILABLE', reason: reason ?? '' };
        }),
      );
      return methods.RepositoryIndex.response.encode({ models });
    }),
    unary(methods.ModelConfig.path, async (message) => {
      const { name } = methods.ModelConfig.request.decode(message);
      const model = find(name);
      const config = { name, max_batch_size: model.maxBatchRows ?? 32, instance_group: [{ count: model.instances ?? 1 }] };
      return methods.ModelConfig.response.encode({ config });
    }),
    unary(methods.RepositoryModelLoad.path, async (message) => {
      control('load', methods.RepositoryModelLoad.request.decode(message).model_name);
      return Buffer.alloc(0);
    }),
    unary(methods.RepositoryModelUnload.path, async (message) => {
      control('unload', methods.RepositoryModelUnload.request.decode(message).model_name);
      return Buffer.alloc(0);
    }),
    unary(methods.ModelStatistics.path, async (message) => {
      const { name } = methods.ModelStatistics.request.decode(message);
      const models = [...engine.models.values()].filter((model) => name === '' || model.name === name);
      if (name !== '' && models.length === 0)
        throw HeadraceError.of('MODEL_NOT_FOUND', `unknown model ${name}`, { upstreamCode: statusCode.NOT_FOUND });
      return methods.ModelStatistics.response.encode({
        model_stats: models.map((model) => {
          const runs = engine.runs.filter((run) => run.model === model.name);
          const inferences = runs.reduce((sum, { rows }) => sum + rows, 0);
          return {
            name: model.name,
            version: model.versions?.at(-1) ?? '1',
            inference_count: inferences,
            execution_count: runs.length,
            inference_stats: { success: { count: runs.length, ns: runs.length * 1000 } },
          };
        }),
      });
    }),
  ];
}

function inputsOf(model: StandInModel): NonNullable<StandInModel['inputs']> {
  return model.inputs ?? [{ name: 'x', datatype: 'INT64', shape: [-1, 1] }];
}
