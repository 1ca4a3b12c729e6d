import { inferenceService, metadataKey } from '@headrace/proto';
import type { RequestScanner } from '@headrace/proto';
import { refuse } from '@headrace/runtime';
import type { Clock, Refusal, Result, Span, Tracing } from '@headrace/runtime';
import type { Metadata, ServerCall } from '@headrace/wire';
import type { Done, Incoming, Ticket } from '../domain/infer.js';
import type { Caller } from '../domain/traffic.js';
import type { CallerIdentity } from './callers.js';

/** Where requests go from here; declared by the transport, which consumes it. */
export interface InferSink {
  submit(incoming: Incoming, done: Done): Ticket;
  /** Refused before it got there: nobody knows who asks, or it cannot be read. Only to be counted and remembered. */
  refusedOnSight(requestId: string, arrivedMs: number, refusal: Refusal, identityMs: number): void;
}

/** Told of each request's end. */
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
  const { clock, tracing, log, sink, scanner } = options;
  const arrivedMs = clock.nowMs();
  const parent = call.metadata.get(metadataKey.traceparent);
  const tracestate = call.metadata.get(metadataKey.tracestate);
  const attributes = tracing.active ? { 'rpc.system': 'grpc', 'rpc.service': inferenceService.name, 'rpc.method': method } : {};
  const span = tracing.startSpan(spanNames[method], { parent, tracestate, kind: 'server', attributes });
  const end = (model: string, refusal: Refusal | undefined): void => {
    if (tracing.active) endSpan(span, requestId, model, refusal);
    log.ended({ method, requestId, model, peer: call.peer.address, arrivedMs, refusal });
  };
  const refuseOnSight = (refusal: Refusal): undefined => {
    sink.refusedOnSight(requestId, arrivedMs, refusal, identityMs);
    end('', refusal);
    done({ ok: false, refusal });
  };
  if (!who.ok) return refuseOnSight(who.refusal);
  const scanned = scanner.scan(message);
  if (!scanned.ok) return refuseOnSight(refuse('MALFORMED_MESSAGE', scanned.message));
  const model = scanned.view.modelName;
  const incoming: Incoming = {
    view: scanned.view,
    requestId,
    traceparent: span.traceparent,
    tracestate: span.tracestate,
    arrivedMs,
    identityMs,
    callDeadlineMs: call.deadlineMs,
    caller: who.value,
    returning: isReturning(call.metadata),
    wantsStageTimes: call.metadata.get(metadataKey.stageTimes) !== undefined,
  };
  const ticket = sink.submit(incoming, (outcome) => {
    end(model, outcome.ok ? undefined : outcome.refusal);
    done(outcome);
  });
  return {
    cancel: () => {
      const wasUnderWay = ticket.cancel();
      if (wasUnderWay) end(model, cancelled);
      return wasUnderWay;
    },
  };
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
