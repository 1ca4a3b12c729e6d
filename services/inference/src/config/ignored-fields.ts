/** Paths of inference.ModelConfig that have an effect in this server; `[]` stands for any element, `*` for any key. */
const honoured = new Set([
  'name',
  'platform',
  'backend',
  'max_batch_size',
  'default_model_filename',
  'input[].name',
  'input[].data_type',
  'input[].dims',
  'output[].name',
  'output[].data_type',
  'output[].dims',
  'instance_group[].name',
  'instance_group[].count',
  'instance_group[].kind',
  'instance_group[].gpus',
  'version_policy.latest.num_versions',
  'version_policy.specific.versions',
  'dynamic_batching.default_queue_policy.max_queue_size',
  'model_warmup[].name',
  'model_warmup[].batch_size',
  'model_warmup[].count',
  'model_warmup[].inputs.*.data_type',
  'model_warmup[].inputs.*.dims',
  'model_warmup[].inputs.*.zero_data',
  'model_warmup[].inputs.*.random_data',
  'optimization.execution_accelerators.gpu_execution_accelerator[].name',
  'parameters.intra_op_thread_count.string_value',
  'parameters.headrace_cores.string_value',
  'parameters.headrace_threads.string_value',
]);

/** Leaf fields of a written configuration that nothing here reads, each path once, in the order of writing. */
export function ignoredPaths(config: object): string[] {
  const ignored = new Set<string>();
  const visit = (value: unknown, path: string, mapEntries: boolean): void => {
    if (Array.isArray(value) && value.some((entry) => typeof entry === 'object')) {
      for (const entry of value) visit(entry, `${path}[]`, false);
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value)) {
      for (const [key, entry] of Object.entries(value)) {
        visit(entry, path === '' ? key : `${path}.${mapEntries ? '*' : key}`, path === 'model_warmup[]' && key === 'inputs');
      }
    } else if (!honoured.has(path)) {
      ignored.add(path);
    }
  };
  visit(config, '', false);
  return [...ignored];
}
