import type { InferRequestView } from '@headrace/proto';
import type { Classified } from '../admission/classify.js';
import type { Job, JobShape } from '../batching/job.js';
import type { ModelLane } from '../batching/model-lane.js';
import type { ModelPolicy } from '../domain/gateway-table.js';
import type { Done, Incoming } from '../domain/infer.js';
import type { OpenItem } from '../domain/open-set.js';
import type { Deadline } from '../execution/deadline-timers.js';
import type { UpstreamCall } from '../execution/upstream-call.js';

/** A request from its acceptance to its answer. */
export interface Live extends OpenItem, Deadline {
  readonly view: InferRequestView;
  readonly incoming: Pick<Incoming, 'requestId' | 'traceparent' | 'tracestate' | 'arrivedMs'>;
  readonly classified: Classified;
  readonly policy: ModelPolicy;
  readonly lane: ModelLane<Attempt>;
  readonly shape: JobShape;
  readonly done: Done;
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
