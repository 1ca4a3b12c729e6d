import type { InferRequestView } from '@headrace/proto';
import type { Refusal } from '@headrace/runtime';
import type { Caller } from './traffic.js';

/** An inference request as the transport hands it over. Its view is borrowed: valid until the call that passed it returns. */
export interface Incoming {
  readonly view: InferRequestView;
  /** Correlation id: the client's x-request-id, or made here. */
  readonly requestId: string;
  /** W3C trace context to pass on; undefined when there is none. */
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  readonly arrivedMs: number;
  /** Before its arrival it waited so long for the check of its credential, ms; absent: it was known at once. */
  readonly identityMs?: number | undefined;
  /** Clock.nowMs() scale; Infinity for none. */
  readonly callDeadlineMs: number;
  /** Who asks; absent: nobody looked. */
  readonly caller?: Caller | undefined;
  /** The client says that it was refused before and waited. */
  readonly returning?: boolean | undefined;
  /** The client wants to know how long each stage took. */
  readonly wantsStageTimes?: boolean | undefined;
}

/** An encoded ModelInferResponse that the receiver owns, or why there is none. */
export type Outcome = ({ readonly ok: true; readonly message: Buffer } | { readonly ok: false; readonly refusal: Refusal }) & {
  /** What else the client is told, by metadata key. */
  readonly trailers?: Readonly<Record<string, string>> | undefined;
};

/** Exactly once for each request that was submitted and not cancelled; may be called before the submit returns. */
export type Done = (outcome: Outcome) => void;

/** The caller's hold on a request in the pipeline. */
export interface Ticket {
  /** The client went away: nobody waits for the answer any more. Done is not called after this. True when it was still under way. */
  cancel(): boolean;
}
