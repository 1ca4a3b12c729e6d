import type { Clock, Logger, MetricsRegistry, Tracing } from '@headrace/runtime';
import type { TlsServerFiles, Transport } from '@headrace/wire';
import type { ProviderSettings } from './config/settings.js';
import type { StateChange } from './repository/model-host.js';
import type { ControlMode } from './repository/control.js';

/** Everything a server is started with. Only the repository has no default. */
export interface InferenceServerOptions {
  readonly modelRepository: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: picked by the kernel. */
  readonly grpcPort?: number;
  /** Undefined: no metrics server. 0: picked by the kernel. */
  readonly metricsPort?: number | undefined;
  readonly tls?: TlsServerFiles | undefined;
  /** Default 64 MiB. */
  readonly maxMessageBytes?: number;
  /** Default explicit. */
  readonly controlMode?: ControlMode;
  /** Explicit mode; default ['*'] = all. */
  readonly initialModels?: readonly string[];
  /** Default 5,000. */
  readonly pollMs?: number;
  /** Load and unload from other machines; default false. */
  readonly remoteControl?: boolean;
  /** For models that state none; default cpu. */
  readonly provider?: ProviderSettings;
  /** Instances of a model that states no count, and size of the shared thread set; default the CPU quota. */
  readonly cpuQuota?: number;
  /** Threads of single instances, before models share; default the larger of 16 and 8 times the quota. */
  readonly maxOwnThreads?: number;
  /** Of Lifecycle.drain; default 25,000, below Kubernetes' 30 s. */
  readonly graceMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly registry?: MetricsRegistry;
  readonly tracing?: Tracing;
  /** Default gRPC over grpc-js. */
  readonly transport?: Transport;
  readonly onModelChange?: (change: StateChange) => void;
}
