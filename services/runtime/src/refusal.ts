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
  UNAUTHENTICATED: statusCode.UNAUTHENTICATED,
  REPOSITORY_CONTROL: statusCode.FAILED_PRECONDITION,
  // The platform's state: a retry may succeed.
  MODEL_NOT_READY: statusCode.UNAVAILABLE,
  IDENTITY_UNAVAILABLE: statusCode.UNAVAILABLE,
  MODEL_LOAD_FAILED: statusCode.INVALID_ARGUMENT,
  QUEUE_FULL: statusCode.RESOURCE_EXHAUSTED,
  RATE_LIMITED: statusCode.RESOURCE_EXHAUSTED,
  COMPUTE_LIMITED: statusCode.RESOURCE_EXHAUSTED,
  CONCURRENCY_LIMITED: statusCode.RESOURCE_EXHAUSTED,
  LIMITER_UNAVAILABLE: statusCode.UNAVAILABLE,
  OVERLOADED: statusCode.RESOURCE_EXHAUSTED,
  DEADLINE_UNREACHABLE: statusCode.RESOURCE_EXHAUSTED,
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

/** What docs/reference/errors.md says of each reason. */
export const refusalHelp: Readonly<Record<RefusalReason, string>> = {
  MALFORMED_MESSAGE: 'The bytes are not a message of this method. Fix the client.',
  INVALID_TENSOR: 'A tensor does not fit the model: name, datatype, shape or size. The message says what was expected and what came.',
  INVALID_PARAMETER: 'A request parameter has the wrong type or is out of its range.',
  UNSUPPORTED_DATATYPE: 'The server cannot carry these values unchanged, so it refuses them.',
  MODEL_NOT_FOUND: 'No server has a model of that name.',
  VERSION_NOT_FOUND: 'The model is there, but not in that version.',
  MESSAGE_TOO_LARGE: 'The message exceeds the limit of the server or the gateway.',
  UNSUPPORTED_METHOD: 'The method is part of the protocol but not offered here; the message says why.',
  PERMISSION_DENIED: 'Models are loaded and unloaded from loopback or by an admin identity only.',
  UNAUTHENTICATED:
    'The token or key of the call does not hold, or the traffic policy demands an identity and there is none. Get a new credential; a retry with the same one fails again.',
  REPOSITORY_CONTROL: 'The server was started in a mode in which models are not loaded or unloaded by request.',
  MODEL_NOT_READY: 'The model is known but does not serve now: it is loading, failed to load, or was unloaded.',
  IDENTITY_UNAVAILABLE:
    'The keys that prove identities could not be read yet, or too many tokens that were not seen before wait for their check. RetryInfo says when to come again.',
  MODEL_LOAD_FAILED: 'The model could not be loaded; the message gives the reason, the repository index repeats it.',
  QUEUE_FULL: 'A bounded queue is full. RetryInfo and grpc-retry-pushback-ms say when it will have room.',
  RATE_LIMITED: 'The tenant is above its requestsPerSecond. RetryInfo says when the same request would pass.',
  COMPUTE_LIMITED:
    'The tenant is above its computeMillisecondsPerSecond: rows x reference cost. RetryInfo says when the same request would pass.',
  CONCURRENCY_LIMITED: 'The tenant has as many requests under way as its tier allows. RetryInfo says when one has been ending of late.',
  LIMITER_UNAVAILABLE: "The store of the fleet's quotas does not answer, and the policy asks to refuse then.",
  OVERLOADED:
    'More requests are under way than the model can answer in time, and this one is of a priority and tier that waits. RetryInfo says when; absent, it cannot be said.',
  DEADLINE_UNREACHABLE:
    'What already waits would keep this request past its deadline, so it was not queued. RetryInfo says when it would make it; absent, the deadline is shorter than a run.',
  NO_BACKEND: 'No backend for the model is ready.',
  BACKEND_LOST: 'The connection to the backend broke and no retry was possible or allowed.',
  CIRCUIT_OPEN: 'Every backend of the model failed too often of late; a trial follows soon.',
  DRAINING: 'The process is shutting down and takes nothing new.',
  DEADLINE_EXCEEDED: 'The gRPC deadline, the request parameter `timeout` or the time limit of the table passed.',
  CANCELLED: 'The client cancelled.',
  EXECUTION_FAILED: 'The model failed while it ran; alone, not only as part of a batch.',
  BACKEND_PROTOCOL: 'A backend answered with something that is not a valid reply.',
  INTERNAL: 'A defect of Headrace; the log has the details under the request id.',
};

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
