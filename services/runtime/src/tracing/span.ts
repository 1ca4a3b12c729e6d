export type SpanKind = 'server' | 'client' | 'internal';
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  /** The W3C header as it came; an invalid one is ignored. */
  readonly parent?: string | undefined;
  readonly tracestate?: string | undefined;
  readonly kind?: SpanKind;
  readonly attributes?: SpanAttributes;
}

export interface Span {
  /** To send on: this span's own, or the parent's unchanged while tracing is off; undefined when there is neither. */
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  setAttributes(attributes: SpanAttributes): void;
  end(): void;
  /** Ends the span as failed. */
  fail(message: string): void;
}

/** What the OpenTelemetry side offers, once loaded. */
export interface SpanRecorder {
  startSpan(name: string, options: SpanOptions): Span;
  shutdown(): Promise<void>;
}
