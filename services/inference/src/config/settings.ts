import type { ServedDatatype } from '../tensors/ort-type.js';
import type { ProviderName } from '../instance/protocol.js';

/** Which of the versions on disk are served. `latest: n` = the n highest numbers. */
export type VersionPolicy =
  | { readonly kind: 'latest'; readonly count: number }
  | { readonly kind: 'specific'; readonly versions: readonly number[] }
  | { readonly kind: 'all' };

/** A tensor as the configuration declares it, batch axis included; checked against the graph at load. */
export interface TensorSetting {
  readonly name: string;
  readonly datatype: ServedDatatype | undefined;
  readonly shape: readonly number[] | undefined;
}

export interface WarmupSetting {
  readonly name: string;
  /** First dimension of the inputs of a batchable model. */
  readonly rows: number;
  readonly runs: number;
  /** Inputs that are not named are made up from the graph's metadata. */
  readonly inputs: ReadonlyMap<string, WarmupInput>;
}

export interface WarmupInput {
  /** Without the batch axis for a batchable model. */
  readonly shape: readonly number[];
  readonly fill: 'zero' | 'random';
}

export interface InstanceSettings {
  /** Undefined: the CPU quota. */
  readonly count: number | undefined;
  /** Instance i runs on core cores[i % length]; empty = unpinned. */
  readonly cores: readonly number[];
  /** own: a thread for each instance; shared: the server's common threads; auto: own while there are threads left. */
  readonly threads: 'own' | 'shared' | 'auto';
  readonly intraOpThreads: number;
}

export interface ProviderSettings {
  readonly name: ProviderName;
  readonly deviceId: number;
  /** What to load with instead when the provider is not available; undefined = the load fails. */
  readonly fallback: 'cpu' | undefined;
}

export interface BatchingSettings {
  /** Rows of the largest run; 0 = never batched, and the graph's first dimension means nothing special. */
  readonly maxBatchSize: number;
  readonly maxQueuedRows: number;
  readonly maxLanes: number;
  readonly agingMs: number;
  /** Share of execution time that bypassing requests may take, 0..1. */
  readonly bypassMaxShare: number;
}

/** Everything about one model that is not in its graph, from whichever file said it. */
export interface ModelSettings {
  readonly name: string;
  readonly source: string;
  readonly modelFile: string;
  readonly batching: BatchingSettings;
  readonly inputs: readonly TensorSetting[];
  readonly outputs: readonly TensorSetting[];
  readonly instances: InstanceSettings;
  /** Undefined: the server's own default. */
  readonly provider: ProviderSettings | undefined;
  readonly versionPolicy: VersionPolicy;
  /** Empty: one run of one row and one of maxBatchSize rows, made up from the metadata. */
  readonly warmup: readonly WarmupSetting[];
  /** Fields of the file that were read and have no effect here, as paths. */
  readonly ignored: readonly string[];
}

export const defaultBatching: BatchingSettings = {
  maxBatchSize: 0,
  maxQueuedRows: 4096,
  maxLanes: 1024,
  agingMs: 1000,
  bypassMaxShare: 0.2,
};

export function defaultSettings(name: string): ModelSettings {
  return {
    name,
    source: 'defaults',
    modelFile: 'model.onnx',
    batching: defaultBatching,
    inputs: [],
    outputs: [],
    instances: { count: undefined, cores: [], threads: 'auto', intraOpThreads: 1 },
    provider: undefined,
    versionPolicy: { kind: 'latest', count: 1 },
    warmup: [],
    ignored: [],
  };
}

/** Why a configuration cannot be used: one line for each problem, each naming the field, what was expected and what came. */
export type SettingsResult =
  | { readonly ok: true; readonly settings: ModelSettings }
  | { readonly ok: false; readonly problems: readonly string[] };
