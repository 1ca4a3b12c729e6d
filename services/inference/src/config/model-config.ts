import type { ModelConfig } from './model-config-type.js';
import type { ServedDatatype } from '../tensors/ort-type.js';
import { servedDatatypes } from '../tensors/ort-type.js';
import { ignoredPaths } from './ignored-fields.js';
import type {
  InstanceSettings,
  ModelSettings,
  ProviderSettings,
  SettingsResult,
  TensorSetting,
  VersionPolicy,
  WarmupSetting,
} from './settings.js';
import { defaultSettings } from './settings.js';

/**
 * A parsed inference.ModelConfig (from config.pbtxt or from the JSON of a load request) => settings. `config` holds only
 * the fields that were written. What has no effect here is listed in `ignored`; what would change results if it were
 * ignored (reshape, another platform, warm-up from a file) is a problem, and the model does not load.
 */
export function settingsFromModelConfig(name: string, config: ModelConfig, source: string): SettingsResult {
  const problems: string[] = [];
  const defaults = defaultSettings(name);
  if (config.name && config.name !== name)
    problems.push(`name: expected ${JSON.stringify(name)} (the folder's name), got ${JSON.stringify(config.name)}`);
  problems.push(...platformProblems(config));
  const maxBatchSize = config.max_batch_size ?? 0;
  if (maxBatchSize < 0) problems.push(`max_batch_size: expected 0 or more, got ${maxBatchSize}`);
  const modelFile = config.default_model_filename || defaults.modelFile;
  if (!isPlainFileName(modelFile))
    problems.push(`default_model_filename: expected a file name without folders, got ${JSON.stringify(modelFile)}`);

  const settings: ModelSettings = {
    ...defaults,
    source,
    modelFile,
    batching: {
      ...defaults.batching,
      maxBatchSize,
      maxQueuedRows: config.dynamic_batching?.default_queue_policy?.max_queue_size || defaults.batching.maxQueuedRows,
    },
    inputs: tensorSettings('input', config.input ?? [], maxBatchSize, problems),
    outputs: tensorSettings('output', config.output ?? [], maxBatchSize, problems),
    instances: instanceSettings(config, defaults.instances, problems),
    provider: providerSettings(config, problems),
    versionPolicy: versionPolicy(config, problems) ?? defaults.versionPolicy,
    warmup: warmupSettings(config, problems),
    ignored: ignoredPaths(config),
  };
  return problems.length === 0 ? { ok: true, settings } : { ok: false, problems: problems.map((problem) => `${source}: ${problem}`) };
}

const servedPlatforms = new Set(['', 'onnxruntime_onnx', 'onnxruntime', 'onnx']);

function platformProblems(config: ModelConfig): string[] {
  const problems = (['platform', 'backend'] as const)
    .filter((field) => !servedPlatforms.has(config[field] ?? ''))
    .map((field) => `${field}: expected onnxruntime_onnx or onnxruntime, got ${JSON.stringify(config[field])}`);
  if (config.ensemble_scheduling) problems.push('ensemble_scheduling: ensembles are not served here, expected an ONNX model');
  return problems;
}

interface WrittenTensor {
  readonly name?: string;
  readonly data_type?: unknown;
  readonly dims?: readonly unknown[];
  readonly reshape?: object | null;
}

function tensorSettings(role: string, tensors: readonly WrittenTensor[], maxBatchSize: number, problems: string[]): TensorSetting[] {
  return tensors.map((tensor, index) => {
    const path = `${role}[${index}]`;
    if (!tensor.name) problems.push(`${path}.name: expected the tensor's name, got nothing`);
    if (tensor.reshape) problems.push(`${path}.reshape: reshaping is not done here, expected the shape that the graph declares in dims`);
    const dims = tensor.dims?.map(Number);
    if (dims?.some((dim) => dim < -1 || !Number.isSafeInteger(dim)))
      problems.push(`${path}.dims: expected -1 or sizes, got [${dims.join(', ')}]`);
    return {
      name: tensor.name ?? '',
      datatype: datatypeSetting(tensor.data_type, `${path}.data_type`, problems),
      shape: dims && (maxBatchSize > 0 ? [-1, ...dims] : dims),
    };
  });
}

function datatypeSetting(value: unknown, path: string, problems: string[]): ServedDatatype | undefined {
  if (typeof value !== 'string' || value === 'TYPE_INVALID') return undefined;
  const name = value === 'TYPE_STRING' ? 'BYTES' : value.replace(/^TYPE_/, '');
  if (Object.hasOwn(servedDatatypes, name)) return name as ServedDatatype;
  problems.push(`${path}: ${value} cannot be carried exactly by onnxruntime-node`);
  return undefined;
}

function instanceSettings(config: ModelConfig, defaults: InstanceSettings, problems: string[]): InstanceSettings {
  const groups = config.instance_group ?? [];
  // A group without a count has one instance, as in Triton.
  const count = groups.length === 0 ? undefined : groups.reduce((sum, group) => sum + (group.count || 1), 0);
  if (groups.some((group) => (group.count ?? 0) < 0)) problems.push('instance_group: expected counts of 1 or more');
  const cores = parameterList(config, 'headrace_cores', problems);
  const threads = config.parameters?.['headrace_threads']?.string_value;
  if (threads !== undefined && threads !== 'own' && threads !== 'shared') {
    problems.push(`parameters.headrace_threads: expected own or shared, got ${JSON.stringify(threads)}`);
  }
  const intraOp = parameterList(config, 'intra_op_thread_count', problems)[0];
  return {
    count: count ?? (cores.length > 0 ? cores.length : undefined),
    cores,
    threads: threads === 'shared' || threads === 'own' ? threads : count !== undefined || cores.length > 0 ? 'own' : 'auto',
    intraOpThreads: intraOp === undefined || intraOp === 0 ? defaults.intraOpThreads : intraOp,
  };
}

/** "0" or "0,1": whole numbers in a Triton parameter. */
function parameterList(config: ModelConfig, name: string, problems: string[]): number[] {
  const text = config.parameters?.[name]?.string_value;
  if (text === undefined) return [];
  const numbers = text.split(',').map((part) => (/^\s*[0-9]{1,5}\s*$/.test(part) ? Number(part) : NaN));
  if (!numbers.some(Number.isNaN)) return numbers;
  problems.push(`parameters.${name}: expected whole numbers separated by commas, got ${JSON.stringify(text)}`);
  return [];
}

function providerSettings(config: ModelConfig, problems: string[]): ProviderSettings | undefined {
  const accelerators = config.optimization?.execution_accelerators?.gpu_execution_accelerator ?? [];
  const kinds = new Set((config.instance_group ?? []).map((group) => group.kind ?? 'KIND_AUTO'));
  kinds.delete('KIND_AUTO');
  if (kinds.size > 1) problems.push(`instance_group: expected one kind for all groups, got ${[...kinds].join(', ')}`);
  const gpus = new Set((config.instance_group ?? []).flatMap((group) => group.gpus ?? []));
  if (gpus.size > 1) problems.push(`instance_group.gpus: expected at most one GPU for a model, got ${[...gpus].join(', ')}`);
  const deviceId = [...gpus][0] ?? 0;
  const tensorrt = accelerators.some((accelerator) => accelerator.name === 'tensorrt');
  if (kinds.has('KIND_GPU')) return { name: tensorrt ? 'tensorrt' : 'cuda', deviceId, fallback: undefined };
  return kinds.has('KIND_CPU') ? { name: 'cpu', deviceId: 0, fallback: undefined } : undefined;
}

function versionPolicy({ version_policy: policy }: ModelConfig, problems: string[]): VersionPolicy | undefined {
  if (policy?.all) return { kind: 'all' };
  if (policy?.specific) {
    const versions = (policy.specific.versions ?? []).map(Number);
    if (versions.length === 0 || versions.some((version) => !(Number.isSafeInteger(version) && version > 0))) {
      problems.push(`version_policy.specific.versions: expected version numbers above 0, got [${versions.join(', ')}]`);
    }
    return { kind: 'specific', versions };
  }
  return policy?.latest ? { kind: 'latest', count: policy.latest.num_versions || 1 } : undefined;
}

function warmupSettings(config: ModelConfig, problems: string[]): WarmupSetting[] {
  return (config.model_warmup ?? []).map((warmup, index) => {
    const inputs = new Map<string, { shape: number[]; fill: 'zero' | 'random' }>();
    for (const [name, input] of Object.entries(warmup.inputs ?? {})) {
      const path = `model_warmup[${index}].inputs.${name}`;
      if (input.input_data_file)
        problems.push(`${path}.input_data_file: warm-up from files is not supported, expected zero_data or random_data`);
      const shape = (input.dims ?? []).map(Number);
      if (shape.some((dim) => !(Number.isSafeInteger(dim) && dim >= 0)))
        problems.push(`${path}.dims: expected sizes, got [${shape.join(', ')}]`);
      inputs.set(name, { shape, fill: input.zero_data ? 'zero' : 'random' });
    }
    return { name: warmup.name ?? '', rows: warmup.batch_size || 1, runs: warmup.count || 1, inputs };
  });
}

/** A file name must not lead out of the version's folder. */
export function isPlainFileName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name);
}
