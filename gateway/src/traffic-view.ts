import type { ExplainResponse, LimitsResponse, ModelUse, TenantUse } from '@headrace/proto';
import type { Clock, Refusal } from '@headrace/runtime';
import type { Peer } from '@headrace/wire';
import type { Admission } from './admission/admission.js';
import type { KnownTenant } from './admission/policy/known-tenant.js';
import { explanationOf } from './insight/explain.js';
import type { RequestTrail } from './insight/request-trail.js';

export interface TrafficViewOptions {
  readonly clock: Clock;
  readonly admission: Admission;
  readonly trail: RequestTrail;
  readonly models: () => readonly ModelUse[];
  readonly authorize: (peer: Peer) => Refusal | undefined;
}

/** Answers headrace.v1.Traffic out of what admission and the pipeline know. */
export class AdmissionView {
  readonly #options: TrafficViewOptions;

  constructor(options: TrafficViewOptions) {
    this.#options = options;
  }

  authorize(peer: Peer): Refusal | undefined {
    return this.#options.authorize(peer);
  }

  /** `tenant` '': those of the policy, and the `mostOthers` busiest of the others. */
  async limits(tenant: string, mostOthers: number): Promise<LimitsResponse> {
    const { admission, clock, models } = this.#options;
    const { tenants, quotas } = admission;
    const nowMs = clock.nowMs();
    const shown = tenants === undefined ? [] : tenant === '' ? chosen(tenants, mostOthers) : one(tenants.known(tenant));
    return {
      shadow: admission.shadow,
      quotas: tenants === undefined ? 'none' : quotas.shared === undefined ? 'local' : quotas.shared.failing ? 'local share' : 'shared',
      tenants: shown.map((each) => tenantUse(each, admission, nowMs)),
      models: [...models()],
      known_tenants: tenants?.size ?? 0,
    };
  }

  async explain(requestId: string): Promise<ExplainResponse> {
    const { clock, trail } = this.#options;
    const nowMs = clock.nowMs();
    return {
      requests: trail.find(requestId).map((ended) => explanationOf(ended, nowMs)),
      remembered: trail.size,
      oldest_ms_ago: trail.oldestEndedMs === undefined ? 0 : nowMs - trail.oldestEndedMs,
    };
  }
}

type Tenants = NonNullable<Admission['tenants']>;

function chosen(tenants: Tenants, mostOthers: number): readonly KnownTenant[] {
  const named = tenants.named();
  const others = [tenants.anonymous, ...tenants.all()].filter((each) => !each.named && cameOf(each) > 0);
  others.sort((left, right) => cameOf(right) - cameOf(left));
  return [...named, ...others.slice(0, mostOthers)];
}

function one(tenant: KnownTenant | undefined): readonly KnownTenant[] {
  return tenant === undefined ? [] : [tenant];
}

function cameOf({ admitted, refused }: KnownTenant): number {
  let came = admitted;
  for (const count of refused?.values() ?? []) came += count;
  return came;
}

function tenantUse(tenant: KnownTenant, admission: Admission, nowMs: number): TenantUse {
  const { policy } = tenant;
  const left = admission.quotas.use(tenant, nowMs);
  return {
    tenant: tenant.name,
    tier: policy.name,
    weight: policy.weight,
    requests: { limit: orNone(policy.requestsPerSecond), left: orNone(left.requestsLeft), used: tenant.admitted },
    compute_ms: { limit: orNone(policy.computeMsPerSecond), left: orNone(left.computeLeftMs), used: tenant.computeMs },
    in_flight: tenant.underWay,
    concurrency_limit: orNone(policy.concurrency),
    admitted: tenant.admitted,
    refused: Object.fromEntries(tenant.refused ?? []),
  };
}

/** The protocol writes "no limit" as 0. */
function orNone(amount: number): number {
  return Number.isFinite(amount) ? Math.max(amount, 0) : 0;
}
