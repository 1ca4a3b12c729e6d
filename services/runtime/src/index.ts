export { backgroundTimer, systemClock } from './clock.js';
export type { Clock, Timer } from './clock.js';
export { formatPath, formatProblem } from './config/problem.js';
export type { ConfigProblem } from './config/problem.js';
export type { ConfigSchema } from './config/schema.js';
export { suggest } from './config/suggest.js';
export { loadConfig, validateDocument } from './config/validate.js';
export type { ValidateOptions } from './config/validate.js';
export { parseYaml, parseYamlDocument } from './config/yaml.js';
export type { YamlDocument } from './config/yaml.js';
export { HeadraceError, describeError } from './errors.js';
export { Lifecycle } from './lifecycle/lifecycle.js';
export type { LifecycleOptions, LifecycleState } from './lifecycle/lifecycle.js';
export { installSignals } from './lifecycle/signals.js';
export type { ProcessLike, SignalOptions } from './lifecycle/signals.js';
export { createLogger, logFormats, logLevels, silentLogger } from './log/logger.js';
export type { LogFields, LogFormat, LogLevel, Logger, LoggerOptions } from './log/logger.js';
export { MergedMetrics } from './metrics/merged.js';
export type { MetricsSnapshot } from './metrics/merged.js';
export { MetricsRegistry, batchRowsBuckets, catalogueMarkdown, latencyBucketsS } from './metrics/registry.js';
export type {
  Counter,
  Gauge,
  GaugeSpec,
  Histogram,
  HistogramSpec,
  MetricDefinition,
  MetricSpec,
  MetricsRegistryOptions,
} from './metrics/registry.js';
export type { LabelValues } from './metrics/series.js';
export { startMetricsServer } from './metrics/server.js';
export type { MetricsServer, MetricsServerOptions, MetricsSource } from './metrics/server.js';
export { refusalHelp, refusalStatus, refuse } from './refusal.js';
export type { Refusal, RefusalReason, Result } from './refusal.js';
export { statusCode, statusName } from './status.js';
export type { StatusCode, StatusName } from './status.js';
export { formatTraceparent, parseTraceparent } from './tracing/traceparent.js';
export type { TraceParent } from './tracing/traceparent.js';
export { startTracing } from './tracing/tracing.js';
export type { Span, SpanAttributes, SpanKind, SpanOptions } from './tracing/span.js';
export type { Tracing, TracingOptions } from './tracing/tracing.js';
