import type { InferRequestView } from '@headrace/proto';
import type { Classified } from './admission/classify.js';
import type { Job, JobShape } from './batching/job.js';
import type { ModelLane } from './batching/model-lane.js';
import type { ModelPolicy } from './domain/gateway-table.js';
import type { Done, Incoming } from './domain/infer.js';
import type { OpenItem } from './domain/open-set.js';
import type { Deadline } from './execution/deadline-timers.js';
import type { UpstreamCall } from './execution/upstream-call.js';

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

/** With a copy of the message, however long the original lives. */
export function copied(view: InferRequestView): InferRequestView {
  const { bytes, modelName, modelVersion, id, parameters, inputs, outputs, rawInputCount, form } = view;
  return { bytes: Buffer.from(bytes), modelName, modelVersion, id, parameters, inputs, outputs, rawInputCount, form };
}

/** Names the sequence that the request is of, among all models. */
export function sequenceKey({ lane, classified }: Live): string {
  return `${lane.model}\u0000${lane.version}\u0000${classified.sequence?.id ?? ''}`;
}
