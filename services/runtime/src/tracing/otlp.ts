import type { Context, Span as OtelSpan } from '@opentelemetry/api';
import { ROOT_CONTEXT, SpanKind as OtelKind, SpanStatusCode, TraceFlags, createTraceState, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-node';
import type { Span, SpanKind, SpanOptions, SpanRecorder } from './span.js';
import { formatTraceparent, parseTraceparent } from './traceparent.js';

/**
 * The only file that loads OpenTelemetry, and only by dynamic import (see tracing.ts). No global provider and no
 * context manager: parents are passed by hand, which costs nothing on calls that are not traced.
 */
export function startOtlp(options: { serviceName: string; endpoint: string; sampleRatio: number }): SpanRecorder {
  // The time-out covers retries too, and thereby the shutdown of a process whose collector is gone.
  const exporter = new OTLPTraceExporter({ url: `${options.endpoint.replace(/\/+$/, '')}/v1/traces`, timeoutMillis: 3_000 });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': options.serviceName }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.sampleRatio) }),
    // Spans above the queue's bound are dropped, so that a dead collector costs no memory.
    spanProcessors: [new BatchSpanProcessor(exporter, { maxQueueSize: 2_048, maxExportBatchSize: 512, scheduledDelayMillis: 1_000 })],
  });
  const tracer = provider.getTracer('headrace');
  return {
    startSpan: (name, span) =>
      wrap(tracer.startSpan(name, { kind: kinds[span.kind ?? 'internal'], ...attributesOf(span) }, parentOf(span))),
    shutdown: async () => provider.shutdown(),
  };
}

const kinds: Readonly<Record<SpanKind, OtelKind>> = { server: OtelKind.SERVER, client: OtelKind.CLIENT, internal: OtelKind.INTERNAL };

function attributesOf(options: SpanOptions): { attributes?: Record<string, string | number | boolean> } {
  return options.attributes === undefined ? {} : { attributes: { ...options.attributes } };
}

function parentOf(options: SpanOptions): Context {
  const parent = parseTraceparent(options.parent);
  if (parent === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: parent.traceId,
    spanId: parent.spanId,
    traceFlags: parent.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
    ...(options.tracestate === undefined ? {} : { traceState: createTraceState(options.tracestate) }),
  });
}

function wrap(span: OtelSpan): Span {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext();
  return {
    traceparent: formatTraceparent({ traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 }),
    tracestate: traceState?.serialize(),
    setAttributes: (attributes) => void span.setAttributes({ ...attributes }),
    end: () => span.end(),
    fail: (message) => {
      span.setStatus({ code: SpanStatusCode.ERROR, message });
      span.end();
    },
  };
}
