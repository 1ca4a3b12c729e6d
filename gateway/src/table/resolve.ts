import type {
  BackendSpec,
  BatchingPolicy,
  GatewayTable,
  ModelPolicy,
  PriorityPolicy,
  RoutingPolicy,
  SloPolicy,
} from '../domain/gateway-table.js';
import type { RoutingTable } from '../gen/routing-table.js';
import { resolveTraffic } from './resolve-traffic.js';

type Settings = NonNullable<RoutingTable['defaults']>;
type Model = NonNullable<RoutingTable['models']>[number];
type Backend = RoutingTable['backends'][number];

const mebibyte = 1_048_576;

/** Fills in every default. The table has been validated. */
export function resolveTable(table: RoutingTable): GatewayTable {
  const defaults = withBypassShare(table.defaults ?? {}, table.trafficPolicy?.bypass?.maxSharePercent);
  return {
    backends: table.backends.map(resolveBackend),
    defaults: resolveModel(defaults, {}),
    models: new Map((table.models ?? []).map((model) => [model.name, resolveModel(defaults, model)])),
    routing: resolveRouting(table.routing ?? {}),
    traffic: table.trafficPolicy === undefined ? undefined : resolveTraffic(table.trafficPolicy),
    maxQueuedBytes: table.limits?.maxQueuedBytes ?? 256 * mebibyte,
    maxMessageBytes: table.limits?.maxMessageBytes ?? 64 * mebibyte,
  };
}

function resolveBackend(backend: Backend): BackendSpec {
  return {
    name: backend.name,
    address: backend.address,
    podClass: backend.podClass ?? 'default',
    instances: backend.instances,
    tls: backend.tls,
  };
}

/** A model's own word wins key by key, not block by block: `batching: {agingMs: 5}` keeps the default maxBatchRows. */
function resolveModel(defaults: Settings, own: Partial<Model>): ModelPolicy {
  return {
    backends: own.backends === undefined ? undefined : new Set(own.backends),
    timeoutMs: own.timeoutMs ?? defaults.timeoutMs ?? 30_000,
    idempotent: own.idempotent ?? defaults.idempotent ?? true,
    batching: resolveBatching({ ...defaults.batching, ...own.batching }),
    priority: resolvePriority({ ...defaults.priority, ...own.priority }),
    slo: resolveSlo(own.slo ?? defaults.slo),
    fallback: own.fallback,
    referenceMs: own.referenceMilliseconds,
  };
}

/** The traffic policy speaks for all models that do not speak for themselves. */
function withBypassShare(defaults: Settings, percent: number | undefined): Settings {
  return percent === undefined ? defaults : { ...defaults, priority: { bypassMaxSharePercent: percent, ...defaults.priority } };
}

/** An SLO is one statement: a model's own replaces the default as a whole. */
function resolveSlo(slo: Settings['slo']): SloPolicy | undefined {
  if (slo === undefined) return undefined;
  return {
    percentile: slo.percentile ?? 99,
    latencyMs: slo.latencyMilliseconds,
    attainmentShare: (slo.attainmentPercent ?? 99.5) / 100,
  };
}

function resolveBatching(batching: NonNullable<Settings['batching']>): BatchingPolicy {
  return {
    maxBatchRows: batching.maxBatchRows,
    maxQueuedRows: batching.maxQueuedRows ?? 4096,
    maxLanes: batching.maxLanes ?? 256,
    agingMs: batching.agingMs ?? 1000,
  };
}

export function resolvePriority(priority: NonNullable<Settings['priority']>): PriorityPolicy {
  const bands = priority.bands ?? 4;
  return {
    bands,
    defaultBand: priority.default ?? middleBand(bands),
    bypassBand: priority.bypass ?? 1,
    bypassMaxShare: (priority.bypassMaxSharePercent ?? 20) / 100,
    map: new Map((priority.map ?? []).map(({ priority: from, band }) => [from, band])),
  };
}

/** 1 of 1, 2 of 2, 2 of 3, 3 of 4: with band 1 for what bypasses, the middle of what joins lanes. */
function middleBand(bands: number): number {
  return Math.floor(bands / 2) + 1;
}

function resolveRouting(routing: NonNullable<RoutingTable['routing']>): RoutingPolicy {
  const { outlier = {}, breaker = {}, retryBudget = {} } = routing;
  return {
    slowStartMs: routing.slowStartMs ?? 5000,
    outlier: {
      slownessFactor: outlier.slownessFactor ?? 3,
      minExcessMs: outlier.minExcessMs ?? 20,
      minRuns: outlier.minRuns ?? 10,
      ejectMs: outlier.ejectMs ?? 5000,
      maxEjectedPercent: outlier.maxEjectedPercent ?? 50,
    },
    breaker: {
      errorPercent: breaker.errorPercent ?? 50,
      minRuns: breaker.minRuns ?? 10,
      windowMs: breaker.windowMs ?? 10_000,
      resetMs: breaker.resetMs ?? 5000,
    },
    retryBudget: { share: (retryBudget.percent ?? 20) / 100, minPerSecond: retryBudget.minPerSecond ?? 10 },
  };
}
