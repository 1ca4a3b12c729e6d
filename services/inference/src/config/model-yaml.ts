import { formatProblem, loadConfig } from '@headrace/runtime';
import type { ModelYaml, YamlTensor } from './model-yaml.schema.js';
import { modelYamlSchema } from './model-yaml.schema.js';
import type { SettingsResult, TensorSetting, VersionPolicy } from './settings.js';
import { defaultSettings } from './settings.js';

/** model.yaml => settings; all problems at once, each with line, field path, what was expected and what came. */
export function settingsFromYaml(name: string, text: string, source: string): SettingsResult {
  // A file with nothing but comments is YAML's null, and means the defaults.
  const empty = text.split('\n').every((line) => /^\s*(#|$)/.test(line));
  const loaded = loadConfig<ModelYaml>({ schema: modelYamlSchema, text: empty ? '{}' : text, source });
  if (!loaded.ok) return { ok: false, problems: loaded.refusal.map(formatProblem) };
  const yaml = loaded.value;
  const defaults = defaultSettings(name);
  const { batching, instances, executionProvider } = yaml;
  const cores = instances?.cores ?? [];
  const count = instances?.count ?? (cores.length > 0 ? cores.length : undefined);
  return {
    ok: true,
    settings: {
      ...defaults,
      source,
      modelFile: yaml.file ?? defaults.modelFile,
      batching: {
        maxBatchSize: batching?.maxBatchSize ?? defaults.batching.maxBatchSize,
        maxQueuedRows: batching?.maxQueuedRows ?? defaults.batching.maxQueuedRows,
        maxLanes: batching?.maxLanes ?? defaults.batching.maxLanes,
        agingMs: batching?.agingMs ?? defaults.batching.agingMs,
        bypassMaxShare:
          batching?.bypassMaxSharePercent === undefined ? defaults.batching.bypassMaxShare : batching.bypassMaxSharePercent / 100,
      },
      instances: {
        count,
        cores,
        threads: instances?.threads ?? (count === undefined ? 'auto' : 'own'),
        intraOpThreads: instances?.intraOpThreads ?? defaults.instances.intraOpThreads,
      },
      provider: executionProvider && {
        name: executionProvider.name,
        deviceId: executionProvider.deviceId ?? 0,
        fallback: executionProvider.fallback,
      },
      versionPolicy: versionPolicy(yaml) ?? defaults.versionPolicy,
      inputs: (yaml.inputs ?? []).map(tensorSetting),
      outputs: (yaml.outputs ?? []).map(tensorSetting),
      warmup: (yaml.warmup ?? []).map((warmup) => ({
        name: warmup.name ?? '',
        rows: warmup.rows ?? 1,
        runs: warmup.runs ?? 1,
        inputs: new Map(Object.entries(warmup.inputs ?? {}).map(([input, { shape, fill }]) => [input, { shape, fill: fill ?? 'random' }])),
      })),
    },
  };
}

function tensorSetting(tensor: YamlTensor): TensorSetting {
  return { name: tensor.name, datatype: tensor.datatype, shape: tensor.shape };
}

function versionPolicy({ versions }: ModelYaml): VersionPolicy | undefined {
  if (versions?.all) return { kind: 'all' };
  if (versions?.specific) return { kind: 'specific', versions: versions.specific };
  return versions?.latest === undefined ? undefined : { kind: 'latest', count: versions.latest };
}
