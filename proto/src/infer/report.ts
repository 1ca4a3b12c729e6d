/**
 * Response parameters by which an inference server tells the gateway what a run cost. All int64. A foreign server
 * sends none, and the gateway falls back on its own clock.
 */
export const reportParameter = {
  /** Microseconds of session.run alone, of the run that served this request. */
  runUs: 'headrace_run_us',
  /** Rows that ran together in it. */
  runRows: 'headrace_run_rows',
  /** Microseconds this request waited in the server before the run. */
  queueUs: 'headrace_queue_us',
} as const;

/** Request parameters of the protocol (Triton's names and units). */
export const requestParameter = {
  /** 0 or absent = default band, 1 = highest. */
  priority: 'priority',
  /** Microseconds that the request may wait before its run starts. */
  timeoutUs: 'timeout',
  sequenceId: 'sequence_id',
} as const;

/** Metadata keys, lower case. */
export const metadataKey = {
  requestId: 'x-request-id',
  tenant: 'x-headrace-tenant',
  tier: 'x-headrace-tier',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
  statusDetails: 'grpc-status-details-bin',
  retryPushbackMs: 'grpc-retry-pushback-ms',
  /** Set by gRPC clients at each attempt after the first. */
  previousAttempts: 'grpc-previous-rpc-attempts',
  /** Request: any value asks for `serverTiming`. */
  stageTimes: 'x-headrace-stage-times',
  /** Trailer: milliseconds of each stage, as W3C Server-Timing writes them. */
  serverTiming: 'server-timing',
  /** Trailer: the priority that was asked for and the one that the tier allows, "1 -> 3". */
  loweredPriority: 'x-headrace-lowered-priority',
  /** Trailer: the model that answered in the place of the one that was asked. */
  fallbackModel: 'x-headrace-fallback-model',
} as const;
