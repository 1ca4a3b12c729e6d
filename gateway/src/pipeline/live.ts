import { metadataKey } from '@headrace/proto';
import type { InferRequestView } from '@headrace/proto';
import { statusCode } from '@headrace/runtime';
import type { Refusal } from '@headrace/runtime';
import type { Ending, Grant } from '../admission/admission.js';
import type { Classified } from '../admission/classify.js';
import type { Job, JobShape } from '../batching/job.js';
import type { ModelLane } from '../batching/model-lane.js';
import type { ModelPolicy } from '../domain/gateway-table.js';
import type { Tenant } from '../domain/tenant.js';
import type { Done, Incoming, Outcome } from '../domain/infer.js';
import type { OpenItem } from '../domain/open-set.js';
import type { Deadline } from '../execution/deadline-timers.js';
import type { UpstreamCall } from '../execution/upstream-call.js';
import { serverTiming } from '../insight/explain.js';
import type { StageTimes } from '../insight/explain.js';

/** A request from its acceptance to its answer. */
export interface Live extends OpenItem, Deadline {
  readonly view: InferRequestView;
  readonly incoming: Pick<
    Incoming,
    'requestId' | 'traceparent' | 'tracestate' | 'arrivedMs' | 'identityMs' | 'returning' | 'wantsStageTimes'
  >;
  readonly classified: Classified;
  readonly policy: ModelPolicy;
  readonly lane: ModelLane<Attempt>;
  readonly shape: JobShape;
  readonly done: Done;
  readonly tenant: Tenant | undefined;
  /** What it holds of quotas and limits. */
  readonly grant: Grant;
  /** The model that was asked for, where another one answers in its place. */
  readonly askedModel: string | undefined;
  /** Clock.nowMs() at the end of its admission. */
  readonly queuedMs: number;
  /** NaN: not reached. */
  startedMs: number;
  answeredMs: number;
  /** Of its latest run: rows, where, and the run alone as the backend told it. */
  batchRows: number;
  backend: string;
  serviceMs: number | undefined;
  /** The latest; a request has two at most: the first, and one retry. */
  attempt: Attempt | undefined;
  attempts: number;
  over: boolean;
}

/** One way of a request through batcher, router and backend. */
export interface Attempt extends Job {
  readonly live: Live;
  call: UpstreamCall | undefined;
}

/** What is known of a request when it has been let in. */
export interface Accepted extends Pick<
  Live,
  'view' | 'classified' | 'policy' | 'lane' | 'shape' | 'done' | 'tenant' | 'grant' | 'askedModel' | 'queuedMs'
> {
  readonly incoming: Incoming;
}

export function newLive({ incoming, view, classified, policy, lane, shape, done, tenant, grant, askedModel, queuedMs }: Accepted): Live {
  const { requestId, traceparent, tracestate, arrivedMs, identityMs, returning, wantsStageTimes } = incoming;
  return {
    view,
    // Not the whole: its view is borrowed.
    incoming: { requestId, traceparent, tracestate, arrivedMs, identityMs, returning, wantsStageTimes },
    classified,
    policy,
    lane,
    shape,
    done,
    tenant,
    grant,
    askedModel,
    queuedMs,
    startedMs: Number.NaN,
    answeredMs: Number.NaN,
    batchRows: 0,
    backend: '',
    serviceMs: undefined,
    attempt: undefined,
    attempts: 0,
    dueMs: Infinity,
    at: [-1],
    openAt: -1,
    over: false,
  };
}

/** What its end says of the model's latency: an answer its time, an expired one that it was too long, all else nothing. */
export function endingOf(live: Live, refusal: Refusal | undefined, nowMs: number): Ending {
  if (refusal === undefined) return { latencyMs: nowMs - live.incoming.arrivedMs, serviceMs: live.serviceMs, used: true };
  if (refusal.code === statusCode.DEADLINE_EXCEEDED) return expired;
  // Who goes away or sets deadlines that cannot be met pays all the same, or floods of such would cost nothing.
  return refusal.code === statusCode.CANCELLED || !Number.isNaN(live.startedMs) ? silent : unused;
}

const expired: Ending = { latencyMs: Infinity, serviceMs: undefined, used: true };
const silent: Ending = { latencyMs: undefined, serviceMs: undefined, used: true };
/** Turned away while it waited: pushed out of a full queue, or its backend went. */
const unused: Ending = { latencyMs: undefined, serviceMs: undefined, used: false };

/** The outcome with what the client should know besides: a lowered priority, another model, the stage times that it asked for. */
export function withTrailers(live: Live, outcome: Outcome, nowMs: number): Outcome {
  const { classified, askedModel, incoming } = live;
  if (classified.loweredFrom === undefined && askedModel === undefined && incoming.wantsStageTimes !== true) return outcome;
  const trailers: Record<string, string> = {};
  if (classified.loweredFrom !== undefined) trailers[metadataKey.loweredPriority] = `${classified.loweredFrom} -> ${classified.band}`;
  if (askedModel !== undefined) trailers[metadataKey.fallbackModel] = live.lane.model;
  if (incoming.wantsStageTimes === true) trailers[metadataKey.serverTiming] = serverTiming(timesOf(live, nowMs));
  return { ...outcome, trailers };
}

function timesOf({ incoming, queuedMs, startedMs, answeredMs }: Live, endedMs: number): StageTimes {
  return { identityMs: incoming.identityMs ?? 0, arrivedMs: incoming.arrivedMs, queuedMs, startedMs, answeredMs, endedMs };
}
