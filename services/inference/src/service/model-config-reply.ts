import type { ModelConfig } from '../config/model-config-type.js';
import type { VersionPolicy } from '../config/settings.js';
import type { LoadedModel } from '../model/loaded-model.js';
import type { TensorSignature } from '../tensors/signature.js';

/** The configuration in effect as Triton's message: clients read batch size, dims and instances from it. */
export function modelConfigReply(loaded: LoadedModel): ModelConfig {
  const { settings, signature, instances, provider } = loaded;
  // What is never merged must not invite a gateway to merge; a client's own batch is still taken up to the size.
  const batchable = settings.batching.maxBatchSize > 0 && loaded.unmergedReason === undefined;
  const maxBatchSize = batchable ? settings.batching.maxBatchSize : 0;
  const tensor = ({ name, datatype, shape }: TensorSignature): { name: string; data_type: DataType; dims: string[] } => ({
    name,
    data_type: `TYPE_${datatype === 'BYTES' ? 'STRING' : datatype}`,
    dims: shape.slice(maxBatchSize > 0 ? 1 : 0).map(String),
  });
  return {
    name: settings.name,
    platform: 'onnxruntime_onnx',
    backend: 'onnxruntime',
    default_model_filename: settings.modelFile,
    max_batch_size: maxBatchSize,
    ...(batchable ? { dynamic_batching: { default_queue_policy: { max_queue_size: settings.batching.maxQueuedRows } } } : {}),
    version_policy: versionPolicy(settings.versionPolicy),
    input: signature.inputs.map(tensor),
    output: signature.outputs.map(tensor),
    instance_group: [
      {
        name: settings.name,
        count: instances.length,
        kind: provider.name === 'cpu' ? 'KIND_CPU' : 'KIND_GPU',
        ...(provider.name === 'cpu' ? {} : { gpus: [provider.deviceId] }),
      },
    ],
    parameters: {
      intra_op_thread_count: { string_value: String(settings.instances.intraOpThreads) },
      headrace_threads: { string_value: loaded.threadKind },
      headrace_execution_provider: { string_value: provider.name },
      ...(settings.instances.cores.length === 0 ? {} : { headrace_cores: { string_value: settings.instances.cores.join(',') } }),
      ...(loaded.unmergedReason === undefined ? {} : { headrace_not_batched: { string_value: loaded.unmergedReason } }),
    },
  };
}

type DataType = `TYPE_${Exclude<TensorSignature['datatype'], 'BYTES'> | 'STRING'}`;

function versionPolicy(policy: VersionPolicy): NonNullable<ModelConfig['version_policy']> {
  switch (policy.kind) {
    case 'all':
      return { all: {} };
    case 'latest':
      return { latest: { num_versions: policy.count } };
    case 'specific':
      return { specific: { versions: policy.versions.map(String) } };
  }
}
