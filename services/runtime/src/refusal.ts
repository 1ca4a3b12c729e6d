import type { StatusCode } from './status.js';
import { statusCode } from './status.js';

/**
 * Every way a request can fail, as a closed set. The reason is at once the metric label, the log field and the
 * `reason` of google.rpc.ErrorInfo on the wire; the table gives its gRPC status.
 */
export const refusalStatus = {
  // The caller's mistake: the same request will fail again.
  MALFORMED_MESSAGE: statusCode.INVALID_ARGUMENT,
  INVALID_TENSOR: statusCode.INVALID_ARGUMENT,
  INVALID_PARAMETER: statusCode.INVALID_ARGUMENT,
  UNSUPPORTED_DATATYPE: statusCode.INVALID_ARGUMENT,
  MODEL_NOT_FOUND: statusCode.NOT_FOUND,
  VERSION_NOT_FOUND: statusCode.NOT_FOUND,
  MESSAGE_TOO_LARGE: statusCode.RESOURCE_EXHAUSTED,
  UNSUPPORTED_METHOD: statusCode.UNIMPLEMENTED,
  PERMISSION_DENIED: statusCode.PERMISSION_DENIED,
  REPOSITORY_CONTROL: statusCode.FAILED_PRECONDITION,
  // The platform's state: a retry may succeed.
  MODEL_NOT_READY: statusCode.UNAVAILABLE,
  MODEL_LOAD_FAILED: statusCode.INVALID_ARGUMENT,
  QUEUE_FULL: statusCode.RESOURCE_EXHAUSTED,
  NO_BACKEND: statusCode.UNAVAILABLE,
  BACKEND_LOST: statusCode.UNAVAILABLE,
  CIRCUIT_OPEN: statusCode.UNAVAILABLE,
  DRAINING: statusCode.UNAVAILABLE,
  DEADLINE_EXCEEDED: statusCode.DEADLINE_EXCEEDED,
  CANCELLED: statusCode.CANCELLED,
  // Ours.
  EXECUTION_FAILED: statusCode.INTERNAL,
  BACKEND_PROTOCOL: statusCode.INTERNAL,
  INTERNAL: statusCode.INTERNAL,
} as const satisfies Record<string, StatusCode>;

export type RefusalReason = keyof typeof refusalStatus;

/** An expected failure, as a value: what the caller is told and what the metrics count. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly code: StatusCode;
  /** Names the field, what was expected and what came. Never carries a path, a stack or a secret. */
  readonly message: string;
  /** When the same request may succeed, computed from the real queue; absent where a retry is useless. */
  readonly retryAfterMs?: number;
  /** For INVALID_ARGUMENT: field path and description, sent as google.rpc.BadRequest. */
  readonly field?: string;
  /** The status a backend answered with, where one is passed through unchanged. */
  readonly upstreamCode?: StatusCode;
}

export function refuse(
  reason: RefusalReason,
  message: string,
  more?: { retryAfterMs?: number; field?: string; upstreamCode?: StatusCode },
): Refusal {
  return { reason, code: more?.upstreamCode ?? refusalStatus[reason], message, ...more };
}

export type Result<T, F = Refusal> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: F };
