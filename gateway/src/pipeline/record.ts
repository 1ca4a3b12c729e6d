import type { Logger, Refusal, RefusalReason } from '@headrace/runtime';
import type { BackendView } from '../domain/backend-view.js';
import type { Incoming } from '../domain/infer.js';
import type { Tenant } from '../domain/tenant.js';
import { RequestTrail } from '../insight/request-trail.js';
import type { EndedTrail } from '../insight/request-trail.js';
import { unknownModel } from '../metrics.js';
import type { GatewayMetrics } from '../metrics.js';
import type { Live } from './live.js';

/** Some seconds of a busy gateway, hours of a quiet one; 4 MB. */
const rememberedRequests = 16_384;

/** Puts what the pipeline does into metrics and log; decides nothing. */
export class PipelineRecord {
  readonly #metrics: GatewayMetrics;
  readonly #logger: Logger;

  constructor(metrics: GatewayMetrics, logger: Logger) {
    this.#metrics = metrics;
    this.#logger = logger;
  }

  /** What people may ask of the latest requests. */
  readonly trail = new RequestTrail(rememberedRequests);

  /** Refused before it was let in. A model that no backend has is a client's invention and gets no series of its own. */
  refused(
    { requestId, view, arrivedMs, identityMs = 0 }: Incoming,
    tenant: Tenant | undefined,
    known: boolean,
    refusal: Refusal,
    nowMs: number,
  ): void {
    this.#count(view.modelName, known, tenant, refusal.reason);
    const { modelName: model, modelVersion: version } = view;
    this.trail.note({ requestId, model, version, ...whose(tenant), ...why(refusal), ...nowhere, identityMs, arrivedMs, endedMs: nowMs });
  }

  /** Refused before it was read. */
  refusedOnSight(requestId: string, arrivedMs: number, refusal: Refusal, identityMs: number, nowMs: number): void {
    this.#count('', false, undefined, refusal.reason);
    this.trail.note({ requestId, model: '', version: '', ...nobody, ...why(refusal), ...nowhere, identityMs, arrivedMs, endedMs: nowMs });
  }

  /** Let in, and now over; without a refusal it was answered. */
  ended(live: Live, known: boolean, refusal: Refusal | undefined, nowMs: number): void {
    const { classified, incoming, lane, tenant } = live;
    this.#count(lane.model, known, tenant, refusal?.reason ?? 'OK');
    if (refusal === undefined) this.#metrics.requestSeconds.observe({ model: lane.model }, (nowMs - incoming.arrivedMs) / 1000);
    if (classified.loweredFrom !== undefined && tenant !== undefined) this.#metrics.lowered.inc({ tier: tenant.policy.name });
    this.trail.note({
      requestId: incoming.requestId,
      model: lane.model,
      version: lane.version,
      tenant: tenant?.name ?? '',
      tier: tenant?.policy.name ?? '',
      reason: refusal?.reason ?? 'OK',
      message: refusal?.message ?? '',
      retryAfterMs: refusal?.retryAfterMs ?? Number.NaN,
      band: classified.band,
      loweredFrom: classified.loweredFrom ?? 0,
      identityMs: incoming.identityMs ?? 0,
      arrivedMs: incoming.arrivedMs,
      queuedMs: live.queuedMs,
      startedMs: live.startedMs,
      answeredMs: live.answeredMs,
      endedMs: nowMs,
      backend: live.backend,
      batchRows: live.batchRows,
      attempts: live.attempts,
    });
  }

  /** In shadow mode: it would have been refused. */
  shadowed(model: string, reason: RefusalReason): void {
    this.#metrics.shadowRefusals.inc({ model, reason });
  }

  fellBack(model: string, fallback: string, reason: RefusalReason): void {
    this.#metrics.fallbacks.inc({ model, fallback, reason });
  }

  modelLimit(model: string, limit: number): void {
    this.#metrics.modelLimit.set({ model }, limit);
  }

  unlimited(model: string): void {
    this.#metrics.modelLimit.remove({ model });
  }

  #count(model: string, known: boolean, tenant: Tenant | undefined, reason: RefusalReason | 'OK'): void {
    this.#metrics.requests.inc({ model: known ? model : unknownModel, reason });
    if (tenant !== undefined) this.#metrics.tenantRequests.inc({ tenant: tenant.label, tier: tenant.policy.name, reason });
  }

  runStarted(model: string, rows: number): void {
    this.#metrics.batchRows.observe({ model }, rows);
  }

  /** A request of a run that started. */
  waited(model: string, waitMs: number): void {
    this.#metrics.queueSeconds.observe({ model }, waitMs / 1000);
  }

  runAnswered(model: string, backend: string, elapsedMs: number): void {
    this.#metrics.runSeconds.observe({ model, backend }, elapsedMs / 1000);
  }

  retried(model: string, kind: 'elsewhere' | 'alone'): void {
    this.#metrics.retries.inc({ model, kind });
  }

  retryDenied(model: string): void {
    this.#metrics.retriesDenied.inc({ model });
  }

  unsplittable(model: string, version: string, problem: string, first: boolean): void {
    this.#metrics.unsplittable.inc({ model });
    if (!first) return;
    const advice = 'a batch reply cannot be split by rows: batching of this model has stopped; declare max_batch_size 0 for it';
    this.#logger.error({ model, version, problem }, advice);
  }

  unformed(error: unknown, members: number): void {
    this.#logger.error({ error, members }, 'a batch could not be formed; its members run alone');
  }

  backends(before: readonly BackendView[], now: readonly BackendView[]): void {
    const { backendReady, backendEjected, breakerOpen } = this.#metrics;
    const present = new Set(now.map(({ name }) => name));
    for (const { name } of before) {
      if (!present.has(name)) for (const gauge of [backendReady, backendEjected, breakerOpen]) gauge.remove({ backend: name });
    }
    for (const { name, state } of now) backendReady.set({ backend: name }, state === 'ready' ? 1 : 0);
  }

  standing(backend: string, standing: 'steady' | 'ejected' | 'probing'): void {
    this.#metrics.backendEjected.set({ backend }, standing === 'ejected' ? 1 : 0);
    if (standing === 'ejected') {
      this.#metrics.backendEjections.inc({ backend });
      this.#logger.warn({ backend }, 'backend is slow and was set aside');
    } else this.#logger.info({ backend, standing }, 'backend takes part again');
  }

  breaker(backend: string, state: 'closed' | 'open' | 'halfOpen'): void {
    this.#metrics.breakerOpen.set({ backend }, state === 'open' ? 1 : 0);
    this.#logger.warn({ backend, state }, 'circuit breaker changed');
  }
}

function whose(tenant: Tenant | undefined): { readonly tenant: string; readonly tier: string } {
  return tenant === undefined ? nobody : { tenant: tenant.name, tier: tenant.policy.name };
}

const nobody = { tenant: '', tier: '' };
/** How far a request came that was refused at the door. */
const nowhere = {
  band: 0,
  loweredFrom: 0,
  queuedMs: Number.NaN,
  startedMs: Number.NaN,
  answeredMs: Number.NaN,
  backend: '',
  batchRows: 0,
  attempts: 0,
};

function why({ reason, message, retryAfterMs = Number.NaN }: Refusal): Pick<EndedTrail, 'reason' | 'message' | 'retryAfterMs'> {
  return { reason, message, retryAfterMs };
}
