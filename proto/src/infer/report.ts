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
} as const;
