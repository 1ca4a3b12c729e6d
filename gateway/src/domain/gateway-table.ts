import type { TlsClientFiles } from '@headrace/wire';
import type { TrafficPolicy } from './traffic.js';

/** The routing table with every default filled in; immutable, replaced as a whole on reload. */
export interface GatewayTable {
  readonly backends: readonly BackendSpec[];
  /** Policy of every model that the table names. */
  readonly models: ReadonlyMap<string, ModelPolicy>;
  /** Policy of a model that the table does not name. */
  readonly defaults: ModelPolicy;
  readonly routing: RoutingPolicy;
  /** Undefined: nothing is limited, and who calls makes no difference. */
  readonly traffic: TrafficPolicy | undefined;
  readonly maxQueuedBytes: number;
  readonly maxMessageBytes: number;
}

export interface BackendSpec {
  readonly name: string;
  readonly address: string;
  readonly podClass: string;
  /** Undefined: learned from the model's configuration. */
  readonly instances: number | undefined;
  readonly tls: TlsClientFiles | undefined;
}

export interface ModelPolicy {
  /** Undefined: every backend that has the model. */
  readonly backends: ReadonlySet<string> | undefined;
  readonly timeoutMs: number;
  readonly idempotent: boolean;
  readonly batching: BatchingPolicy;
  readonly priority: PriorityPolicy;
  readonly slo: SloPolicy | undefined;
  /** Another model of the table with the same signature, used when this one is overloaded or down. */
  readonly fallback: string | undefined;
  /** Cost of one row for computeMillisecondsPerSecond; undefined: measured. */
  readonly referenceMs: number | undefined;
}

/** E.g. 99, 50, 0.995: in 99.5 % of the time the 99th percentile is at most 50 ms. Orders and sheds; never ends a request. */
export interface SloPolicy {
  /** 50 to 99.999. */
  readonly percentile: number;
  readonly latencyMs: number;
  /** 0..1 of the time. */
  readonly attainmentShare: number;
}

export interface BatchingPolicy {
  /** Undefined: what the backends' ModelConfig says; 0: never. */
  readonly maxBatchRows: number | undefined;
  readonly maxQueuedRows: number;
  readonly maxLanes: number;
  readonly agingMs: number;
}

export interface PriorityPolicy {
  /** Bands 1 (highest) to this. */
  readonly bands: number;
  readonly defaultBand: number;
  /** Bands up to this one bypass the lanes; 0 for none. */
  readonly bypassBand: number;
  /** 0..1 of execution time. */
  readonly bypassMaxShare: number;
  /** Request priority to band, before the general rule. */
  readonly map: ReadonlyMap<number, number>;
}

export interface RoutingPolicy {
  readonly slowStartMs: number;
  readonly outlier: OutlierPolicy;
  readonly breaker: BreakerPolicy;
  readonly retryBudget: RetryBudgetPolicy;
}

export interface OutlierPolicy {
  readonly slownessFactor: number;
  readonly minExcessMs: number;
  readonly minRuns: number;
  readonly ejectMs: number;
  readonly maxEjectedPercent: number;
}

export interface BreakerPolicy {
  readonly errorPercent: number;
  readonly minRuns: number;
  readonly windowMs: number;
  readonly resetMs: number;
}

export interface RetryBudgetPolicy {
  /** 0..1 of requests. */
  readonly share: number;
  readonly minPerSecond: number;
}

export function policyOf(table: GatewayTable, model: string): ModelPolicy {
  return table.models.get(model) ?? table.defaults;
}
