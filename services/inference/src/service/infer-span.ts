import { inferenceService, metadataKey } from '@headrace/proto';
import type { Span, Tracing } from '@headrace/runtime';
import type { Metadata } from '@headrace/wire';
import type { InferReply } from './infer.js';

/** The span of one request, named as the gateway names its own; undefined while nothing is recorded. */
export function startInferSpan(
  tracing: Tracing,
  method: 'ModelInfer' | 'ModelStreamInfer',
  metadata: Metadata,
  requestId: string | undefined,
): Span | undefined {
  if (!tracing.active) return undefined;
  return tracing.startSpan(`${inferenceService.name}/${method}`, {
    parent: metadata.get(metadataKey.traceparent),
    tracestate: metadata.get(metadataKey.tracestate),
    kind: 'server',
    attributes: {
      'rpc.system': 'grpc',
      'rpc.service': inferenceService.name,
      'rpc.method': method,
      ...(requestId === undefined ? {} : { 'headrace.request_id': requestId }),
    },
  });
}

export function endInferSpan(span: Span | undefined, reply: InferReply): void {
  span?.setAttributes({ 'headrace.model': reply.model });
  if (reply.ok) span?.end();
  else span?.fail(reply.refusal.message);
}
