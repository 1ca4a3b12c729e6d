import { batchRowsBuckets } from '@headrace/runtime';
import type { Counter, Gauge, Histogram, MetricsRegistry } from '@headrace/runtime';

/** What the gauges read at each scrape. */
export interface GatewayGauges {
  readonly heldRequests: () => number;
  readonly heldBytes: () => number;
  readonly queuedRows: () => number;
  readonly oldestKeysSeconds: () => number;
  readonly heldLeases: () => number;
}

export interface GatewayMetrics {
  readonly requests: Counter<'model' | 'reason'>;
  readonly tenantRequests: Counter<'tenant' | 'tier' | 'reason'>;
  readonly shadowRefusals: Counter<'model' | 'reason'>;
  readonly lowered: Counter<'tier'>;
  readonly fallbacks: Counter<'model' | 'fallback' | 'reason'>;
  readonly modelLimit: Gauge<'model'>;
  readonly pressure: Gauge<never>;
  readonly requestSeconds: Histogram<'model'>;
  readonly queueSeconds: Histogram<'model'>;
  readonly runSeconds: Histogram<'model' | 'backend'>;
  readonly batchRows: Histogram<'model'>;
  readonly retries: Counter<'model' | 'kind'>;
  readonly retriesDenied: Counter<'model'>;
  readonly unsplittable: Counter<'model'>;
  readonly backendReady: Gauge<'backend'>;
  readonly backendEjected: Gauge<'backend'>;
  readonly backendEjections: Counter<'backend'>;
  readonly breakerOpen: Gauge<'backend'>;
  readonly tableReloads: Counter<'result'>;
  readonly turnFallbacks: Counter<never>;
  readonly credentialChecks: Counter<'kind' | 'outcome'>;
  readonly keySetReads: Counter<'outcome'>;
  readonly leaseExchangeSeconds: Histogram<'store' | 'outcome'>;
  readonly leaseStoreFailing: Gauge<'store'>;
  readonly localShareAdmissions: Counter<'store'>;
}

/** Label of requests whose model no backend has: the name comes from clients and would be a series each. */
export const unknownModel = '(unknown)';

/** The gateway's part of docs/reference/metrics.md: this is the only place that defines them. */
export function defineGatewayMetrics(registry: MetricsRegistry, gauges: GatewayGauges): GatewayMetrics {
  registry.defineGauge({
    name: 'headrace_gateway_held_requests',
    help: 'Requests accepted and not answered yet.',
    read: gauges.heldRequests,
  });
  registry.defineGauge({
    name: 'headrace_gateway_held_bytes',
    help: 'Bytes of request messages held, with a fixed overhead each.',
    read: gauges.heldBytes,
  });
  registry.defineGauge({ name: 'headrace_gateway_queued_rows', help: 'Rows waiting in lanes, over all models.', read: gauges.queuedRows });
  registry.defineGauge({
    name: 'headrace_gateway_key_set_age_seconds',
    help: 'Time since the keys of token issuers were last fetched well, of the oldest of them; 0 where none are fetched.',
    together: 'max',
    read: gauges.oldestKeysSeconds,
  });
  registry.defineGauge({
    name: 'headrace_gateway_leases_held',
    help: 'With shared quotas: tenants that the gateway holds a lease for.',
    read: gauges.heldLeases,
  });
  return {
    requests: registry.defineCounter({
      name: 'headrace_gateway_requests_total',
      help: 'Inference requests that ended, by reason: OK, or why not (the closed set of refusal reasons).',
      labels: ['model', 'reason'],
    }),
    tenantRequests: registry.defineCounter({
      name: 'headrace_gateway_tenant_requests_total',
      help: 'With a traffic policy: requests that ended, by tenant (those that the policy names, 200 at most, else "(other)") and reason.',
      labels: ['tenant', 'tier', 'reason'],
    }),
    shadowRefusals: registry.defineCounter({
      name: 'headrace_gateway_shadow_refusals_total',
      help: 'With a traffic policy in shadow mode: requests that it would have refused.',
      labels: ['model', 'reason'],
    }),
    lowered: registry.defineCounter({
      name: 'headrace_gateway_lowered_priorities_total',
      help: 'Requests that asked for a higher priority than their tier allows.',
      labels: ['tier'],
    }),
    fallbacks: registry.defineCounter({
      name: 'headrace_gateway_fallbacks_total',
      help: 'Requests handed to the fallback of their model, by why the model itself did not take them.',
      labels: ['model', 'fallback', 'reason'],
    }),
    modelLimit: registry.defineGauge({
      name: 'headrace_gateway_concurrency_limit',
      help: 'Requests of the model that may be under way, found from its latency against its SLO.',
      labels: ['model'],
    }),
    pressure: registry.defineGauge({
      name: 'headrace_gateway_pressure',
      help: 'How hard the gateway itself is pressed, 0 to 1: event loop, CPU, memory, queues at the backends; scales the concurrency limits down.',
      together: 'max',
    }),
    requestSeconds: registry.defineHistogram({
      name: 'headrace_gateway_request_seconds',
      help: 'Arrival to reply of inference requests that were answered well.',
      labels: ['model'],
    }),
    queueSeconds: registry.defineHistogram({
      name: 'headrace_gateway_queue_seconds',
      help: 'Arrival to the start of the run.',
      labels: ['model'],
    }),
    runSeconds: registry.defineHistogram({
      name: 'headrace_gateway_run_seconds',
      help: 'Time of a run on a backend as the gateway sees it, from hand-over to reply.',
      labels: ['model', 'backend'],
    }),
    batchRows: registry.defineHistogram({
      name: 'headrace_gateway_batch_rows',
      help: 'Rows of a run handed to a backend.',
      labels: ['model'],
      buckets: batchRowsBuckets,
    }),
    retries: registry.defineCounter({
      name: 'headrace_gateway_retries_total',
      help: 'Second attempts: elsewhere (the backend was lost or refused), alone (its batch failed).',
      labels: ['model', 'kind'],
    }),
    retriesDenied: registry.defineCounter({
      name: 'headrace_gateway_retries_denied_total',
      help: 'Second attempts that the retry budget did not allow.',
      labels: ['model'],
    }),
    unsplittable: registry.defineCounter({
      name: 'headrace_gateway_unsplittable_batches_total',
      help: 'Batch replies that could not be split by rows; batching of the model has stopped.',
      labels: ['model'],
    }),
    backendReady: registry.defineGauge({
      name: 'headrace_gateway_backend_ready',
      help: '1 when the backend is ready.',
      labels: ['backend'],
      together: 'max',
    }),
    backendEjected: registry.defineGauge({
      name: 'headrace_gateway_backend_ejected',
      help: '1 while the backend is set aside for being slow.',
      labels: ['backend'],
      together: 'max',
    }),
    backendEjections: registry.defineCounter({
      name: 'headrace_gateway_backend_ejections_total',
      help: 'Times that the backend was set aside for being slow.',
      labels: ['backend'],
    }),
    breakerOpen: registry.defineGauge({
      name: 'headrace_gateway_breaker_open',
      help: '1 while the circuit breaker of the backend is open.',
      labels: ['backend'],
      together: 'max',
    }),
    tableReloads: registry.defineCounter({
      name: 'headrace_gateway_table_reloads_total',
      help: 'Routing table files read after a change: applied, or rejected (the old table stays).',
      labels: ['result'],
      together: 'max',
    }),
    turnFallbacks: registry.defineCounter({
      name: 'headrace_gateway_turn_fallbacks_total',
      help: 'With --workers: runs that a worker started without its turn because the primary process was silent.',
    }),
    credentialChecks: registry.defineCounter({
      name: 'headrace_gateway_credential_checks_total',
      help: 'Requests with a credential, by kind (certificate, token, key, header) and outcome: accepted, rejected, or unavailable (nobody could say).',
      labels: ['kind', 'outcome'],
    }),
    keySetReads: registry.defineCounter({
      name: 'headrace_gateway_key_set_reads_total',
      help: 'Looks at the keys of token issuers, by outcome: changed, unchanged, or failed (the keys before stay).',
      labels: ['outcome'],
    }),
    leaseExchangeSeconds: registry.defineHistogram({
      name: 'headrace_gateway_lease_exchange_seconds',
      help: 'Round trips to what shares quotas (redis, workers), by outcome: answered, overtaken by a later one, failed, or late (given up). No request waits for one.',
      labels: ['store', 'outcome'],
    }),
    leaseStoreFailing: registry.defineGauge({
      name: 'headrace_gateway_lease_store_failing',
      help: '1 from a failed round trip to what shares quotas until the next that succeeds: tenants live on the local share meanwhile.',
      labels: ['store'],
      together: 'max',
    }),
    localShareAdmissions: registry.defineCounter({
      name: 'headrace_gateway_local_share_admissions_total',
      help: 'With shared quotas: requests admitted from the local share, without a lease that pays for them.',
      labels: ['store'],
    }),
  };
}

export interface WorkersMetrics {
  readonly restarts: Counter<never>;
  readonly kills: Counter<never>;
}

/** What the primary process of --workers adds to the sum of its workers. */
export function defineWorkersMetrics(registry: MetricsRegistry, gauges: { readonly listening: () => number }): WorkersMetrics {
  registry.defineGauge({ name: 'headrace_gateway_workers', help: 'With --workers: workers that listen now.', read: gauges.listening });
  return {
    restarts: registry.defineCounter({
      name: 'headrace_gateway_worker_restarts_total',
      help: 'With --workers: workers started again after one ended.',
    }),
    kills: registry.defineCounter({
      name: 'headrace_gateway_worker_kills_total',
      help: 'With --workers: workers killed because they said nothing for --worker-silence-seconds.',
    }),
  };
}
