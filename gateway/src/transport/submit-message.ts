import { inferenceService, metadataKey } from '@headrace/proto';
import type { InferRequestView, RequestScanner } from '@headrace/proto';
import { refuse } from '@headrace/runtime';
import type { Clock, Refusal, Result, Span, Tracing } from '@headrace/runtime';
import type { Metadata, Peer, ServerCall } from '@headrace/wire';
import type { Done, Incoming, Ticket } from '../domain/infer.js';
import type { Caller } from '../domain/traffic.js';
import type { CallerIdentity } from './callers.js';

/** Where requests go from here; declared by the transport, which consumes it. */
export interface InferSink {
  submit(incoming: Incoming, done: Done): Ticket;
  /** Refused before it got there: nobody knows who asks, or it cannot be read. Only to be counted and remembered. */
  refusedOnSight(requestId: string, arrivedMs: number, refusal: Refusal, identityMs: number): void;
}

/** Told of each request's end; the entry is borrowed. */
export interface RequestLog {
  ended(entry: EndedRequest): void;
}

export interface EndedRequest {
  readonly method: 'ModelInfer' | 'ModelStreamInfer';
  readonly requestId: string;
  /** As the request names it; "" when it could not be read. */
  readonly model: string;
  readonly peer: string;
  readonly arrivedMs: number;
  /** Undefined: answered well. */
  readonly refusal: Refusal | undefined;
}

export interface InferMethodOptions {
  /** Remembers the forms of the requests that it read. */
  readonly scanner: RequestScanner;
  readonly clock: Clock;
  readonly sink: InferSink;
  readonly tracing: Tracing;
  readonly callers: CallerIdentity;
  readonly log: RequestLog;
  /** Tells of the beginning of a drain. */
  readonly onDrain: (listener: () => void) => void;
}

/** Scans one request message and submits it; the end is logged and traced. `identityMs`: waited for the check of who asks. Undefined when it was refused on sight. */
export function submitMessage(
  message: Buffer,
  call: ServerCall,
  who: Result<Caller>,
  requestId: string,
  method: EndedRequest['method'],
  options: InferMethodOptions,
  done: Done,
  identityMs = 0,
): Ticket | undefined {
  const submission = new Submission(call, requestId, method, options, done, identityMs);
  if (!who.ok) return submission.refuse(who.refusal);
  const scanned = options.scanner.scan(message);
  if (!scanned.ok) return submission.refuse(refuse('MALFORMED_MESSAGE', scanned.message));
  return submission.submit(scanned.view, who.value, call);
}

/** From its message to its end: hold of the caller and line of the log in one object (three of them were 0.4 KB of garbage a request). */
class Submission implements Ticket, EndedRequest {
  readonly method: EndedRequest['method'];
  readonly requestId: string;
  readonly arrivedMs: number;
  model = '';
  refusal: Refusal | undefined;
  readonly #identityMs: number;
  readonly #peer: Peer;
  readonly #span: Span;
  readonly #options: InferMethodOptions;
  readonly #done: Done;
  #ticket: Ticket | undefined;

  constructor(
    { peer, metadata }: ServerCall,
    requestId: string,
    method: EndedRequest['method'],
    options: InferMethodOptions,
    done: Done,
    identityMs: number,
  ) {
    this.method = method;
    this.requestId = requestId;
    this.arrivedMs = options.clock.nowMs();
    this.#identityMs = identityMs;
    this.#peer = peer;
    this.#span = startSpan(metadata, method, options.tracing);
    this.#options = options;
    this.#done = done;
  }

  get peer(): string {
    return this.#peer.address;
  }

  refuse(refusal: Refusal): undefined {
    this.#options.sink.refusedOnSight(this.requestId, this.arrivedMs, refusal, this.#identityMs);
    this.#end(refusal);
    this.#done({ ok: false, refusal });
  }

  submit(view: InferRequestView, caller: Caller, { metadata, deadlineMs }: ServerCall): this {
    this.model = view.modelName;
    const { requestId, arrivedMs } = this;
    const { traceparent, tracestate } = this.#span;
    const incoming: Incoming = {
      view,
      requestId,
      traceparent,
      tracestate,
      arrivedMs,
      identityMs: this.#identityMs,
      callDeadlineMs: deadlineMs,
      caller,
      returning: isReturning(metadata),
      wantsStageTimes: metadata.get(metadataKey.stageTimes) !== undefined,
    };
    this.#ticket = this.#options.sink.submit(incoming, (outcome) => {
      this.#end(outcome.ok ? undefined : outcome.refusal);
      this.#done(outcome);
    });
    return this;
  }

  cancel(): boolean {
    const wasUnderWay = this.#ticket?.cancel() === true;
    if (wasUnderWay) this.#end(cancelled);
    return wasUnderWay;
  }

  #end(refusal: Refusal | undefined): void {
    const { tracing, log } = this.#options;
    if (tracing.active) endSpan(this.#span, this.requestId, this.model, refusal);
    this.refusal = refusal;
    log.ended(this);
  }
}

/** Nobody records, and nothing came that would be passed on: no span need be made (0.1 us). */
const untraced: Span = { traceparent: undefined, tracestate: undefined, setAttributes: () => {}, end: () => {}, fail: () => {} };

function startSpan(metadata: Metadata, method: EndedRequest['method'], tracing: Tracing): Span {
  const parent = metadata.get(metadataKey.traceparent);
  if (parent === undefined && !tracing.active) return untraced;
  const tracestate = metadata.get(metadataKey.tracestate);
  const attributes = tracing.active ? { 'rpc.system': 'grpc', 'rpc.service': inferenceService.name, 'rpc.method': method } : {};
  return tracing.startSpan(spanNames[method], { parent, tracestate, kind: 'server', attributes });
}

/** A gRPC client that tries again counts its attempts (gRFC A6). */
function isReturning(metadata: Metadata): boolean {
  const attempts = metadata.get(metadataKey.previousAttempts);
  return attempts !== undefined && attempts !== '0';
}

const spanNames = {
  ModelInfer: `${inferenceService.name}/ModelInfer`,
  ModelStreamInfer: `${inferenceService.name}/ModelStreamInfer`,
} as const;
const cancelled = refuse('CANCELLED', 'the client cancelled the call');

function endSpan(span: Span, requestId: string, model: string, refusal: Refusal | undefined): void {
  span.setAttributes({ 'headrace.request_id': requestId, 'headrace.model': model });
  if (refusal === undefined) span.end();
  else span.fail(refusal.reason);
}
