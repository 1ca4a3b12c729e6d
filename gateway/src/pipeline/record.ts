import type { Logger, Refusal, RefusalReason } from '@headrace/runtime';
import type { BackendView } from '../domain/backend-view.js';
import type { Incoming } from '../domain/infer.js';
import type { Tenant } from '../domain/tenant.js';
import { RequestTrail } from '../insight/request-trail.js';
import type { EndedTrail } from '../insight/request-trail.js';
import { unknownModel } from '../metrics.js';
import type { GatewayMetrics } from '../metrics.js';
import type { Live } from './live.js';
import { ModelCounts } from './model-counts.js';

/** Some seconds of a busy gateway, hours of a quiet one; 4 MB. */
const rememberedRequests = 16_384;

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

/** Models whose series are at hand. */
const maxModels = 1024;

/** Puts what the pipeline does into metrics and log; decides nothing. */
export class PipelineRecord {
  readonly #metrics: GatewayMetrics;
  readonly #logger: Logger;
  readonly #models = new Map<string, ModelCounts>();
  /** Of the model that was counted last: mostly the next one too. */
  #last: ModelCounts | undefined;
  /** One object for all notes of answers, as the ring keeps none: 330 bytes a request. */
  readonly #note: { -readonly [Key in keyof EndedTrail]: EndedTrail[Key] } = {
    requestId: '',
    model: '',
    version: '',
    ...nobody,
    reason: 'OK',
    message: '',
    retryAfterMs: Number.NaN,
    ...nowhere,
    identityMs: 0,
    arrivedMs: Number.NaN,
    endedMs: Number.NaN,
  };

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
    if (refusal === undefined) {
      this.#of(lane.model).answered((nowMs - incoming.arrivedMs) / 1000);
      this.#countTenant(tenant, 'OK');
    } else this.#count(lane.model, known, tenant, refusal.reason);
    if (classified.loweredFrom !== undefined && tenant !== undefined) this.#metrics.lowered.inc({ tier: tenant.policy.name });
    const note = this.#note;
    note.requestId = incoming.requestId;
    note.model = lane.model;
    note.version = lane.version;
    note.tenant = tenant?.name ?? '';
    note.tier = tenant?.policy.name ?? '';
    note.reason = refusal?.reason ?? 'OK';
    note.message = refusal?.message ?? '';
    note.retryAfterMs = refusal?.retryAfterMs ?? Number.NaN;
    note.band = classified.band;
    note.loweredFrom = classified.loweredFrom ?? 0;
    note.identityMs = incoming.identityMs ?? 0;
    note.arrivedMs = incoming.arrivedMs;
    note.queuedMs = live.queuedMs;
    note.startedMs = live.startedMs;
    note.answeredMs = live.answeredMs;
    note.endedMs = nowMs;
    note.backend = live.backend;
    note.batchRows = live.batchRows;
    note.attempts = live.attempts;
    this.trail.note(note);
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
    this.#countTenant(tenant, reason);
  }

  #countTenant(tenant: Tenant | undefined, reason: RefusalReason | 'OK'): void {
    if (tenant !== undefined) this.#metrics.tenantRequests.inc({ tenant: tenant.label, tier: tenant.policy.name, reason });
  }

  runStarted(model: string, rows: number): void {
    this.#of(model).runStarted(rows);
  }

  /** A request of a run that started. */
  waited(model: string, waitMs: number): void {
    this.#of(model).waited(waitMs / 1000);
  }

  runAnswered(model: string, backend: string, elapsedMs: number): void {
    this.#of(model).ran(backend, elapsedMs / 1000);
  }

  /** Of a model that has a lane. */
  #of(model: string): ModelCounts {
    const last = this.#last;
    if (last?.model === model) return last;
    let counts = this.#models.get(model);
    if (counts === undefined) {
      // Models come and go: what is forgotten here is looked up again, not lost.
      if (this.#models.size >= maxModels) this.#models.clear();
      this.#models.set(model, (counts = new ModelCounts(this.#metrics, model)));
    }
    this.#last = counts;
    return counts;
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

function why({ reason, message, retryAfterMs = Number.NaN }: Refusal): Pick<EndedTrail, 'reason' | 'message' | 'retryAfterMs'> {
  return { reason, message, retryAfterMs };
}
