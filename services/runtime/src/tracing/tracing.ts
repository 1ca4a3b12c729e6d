import { describeError } from '../errors.js';
import type { Logger } from '../log/logger.js';
import { silentLogger } from '../log/logger.js';
import type { Span, SpanOptions, SpanRecorder } from './span.js';
import { parseTraceparent } from './traceparent.js';

export interface Tracing {
  startSpan(name: string, options?: SpanOptions): Span;
  /** True once spans are recorded. */
  readonly active: boolean;
  /** Resolves when OpenTelemetry is loaded (at once when tracing is off); spans started before are passed through. */
  readonly ready: Promise<void>;
  /** Sends what is left and stops. */
  shutdown(): Promise<void>;
}

export interface TracingOptions {
  readonly serviceName: string;
  /** Base address of an OTLP/HTTP collector (OTEL_EXPORTER_OTLP_ENDPOINT), e.g. http://127.0.0.1:4318; absent: off. */
  readonly endpoint?: string | undefined;
  /** Share of new traces that are recorded, 0..1; a parent's decision goes first. Default 1. */
  readonly sampleRatio?: number;
  readonly logger?: Logger;
}

/** Off unless an endpoint is given; OpenTelemetry is loaded only then. The trace context passes through in both cases. */
export function startTracing(options: TracingOptions): Tracing {
  const { endpoint } = options;
  const logger = options.logger ?? silentLogger;
  if (endpoint === undefined || endpoint === '') {
    return { startSpan: (_name, span = {}) => passThrough(span), active: false, ready: Promise.resolve(), shutdown: async () => {} };
  }
  let recorder: SpanRecorder | undefined;
  const ready = import('./otlp.js')
    .then(({ startOtlp }) => {
      recorder = startOtlp({ serviceName: options.serviceName, endpoint, sampleRatio: options.sampleRatio ?? 1 });
    })
    .catch((error: unknown) => logger.error({ reason: describeError(error) }, 'tracing could not start; going on without'));
  return {
    startSpan: (name, span = {}) => recorder?.startSpan(name, span) ?? passThrough(span),
    get active() {
      return recorder !== undefined;
    },
    ready,
    shutdown: async () => {
      await ready;
      await recorder?.shutdown().catch((error: unknown) => logger.warn({ reason: describeError(error) }, 'spans were lost at shutdown'));
    },
  };
}

function passThrough(options: SpanOptions): Span {
  const valid = parseTraceparent(options.parent) !== undefined;
  return {
    traceparent: valid ? options.parent : undefined,
    tracestate: valid ? options.tracestate : undefined,
    setAttributes: () => {},
    end: () => {},
    fail: () => {},
  };
}
