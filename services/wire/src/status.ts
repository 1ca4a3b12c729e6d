import { metadataKey } from '@headrace/proto';
import type { Refusal } from '@headrace/runtime';
import { refuse, statusCode } from '@headrace/runtime';
import { decodeRefusalDetails, encodeRefusalDetails } from './details.js';
import { Metadata } from './metadata.js';
import type { WireStatus } from './port.js';

/** Whole milliseconds, as gRPC's retry pushback wants them (gRFC A6); a fraction is rounded up, never to "at once". */
function pushbackMs(retryAfterMs: number): number {
  return Math.max(0, Math.ceil(retryAfterMs));
}

/**
 * A refusal on the wire: its code and message, google.rpc details (ErrorInfo with the reason; BadRequest naming the
 * field; RetryInfo) in `grpc-status-details-bin`, and `grpc-retry-pushback-ms` for clients that know it.
 */
export function refusalToStatus(refusal: Refusal): WireStatus {
  const trailers = new Metadata();
  trailers.set(metadataKey.statusDetails, encodeRefusalDetails(refusal));
  if (refusal.retryAfterMs !== undefined) trailers.set(metadataKey.retryPushbackMs, String(pushbackMs(refusal.retryAfterMs)));
  return { code: refusal.code, message: refusal.message, trailers };
}

/**
 * The other way round: Headrace's own details give the refusal back as it was; of a foreign server's status the reason
 * is the nearest one, and its code is kept as `upstreamCode`.
 */
export function statusToRefusal(status: WireStatus): Refusal {
  const details = status.trailers?.getBinary(metadataKey.statusDetails);
  const own = details === undefined ? undefined : decodeRefusalDetails(details, status);
  if (own !== undefined) return own;
  const pushback = Number(status.trailers?.get(metadataKey.retryPushbackMs) ?? Number.NaN);
  // A negative pushback means "do not retry" (gRFC A6), which is what its absence means here.
  const retry = Number.isFinite(pushback) && pushback >= 0 ? { retryAfterMs: pushback } : {};
  return refuse(foreignReason(status.code), status.message, { upstreamCode: status.code, ...retry });
}

function foreignReason(code: WireStatus['code']): Refusal['reason'] {
  switch (code) {
    case statusCode.CANCELLED:
      return 'CANCELLED';
    case statusCode.INVALID_ARGUMENT:
    case statusCode.OUT_OF_RANGE:
      return 'INVALID_PARAMETER';
    case statusCode.DEADLINE_EXCEEDED:
      return 'DEADLINE_EXCEEDED';
    case statusCode.NOT_FOUND:
      return 'MODEL_NOT_FOUND';
    case statusCode.PERMISSION_DENIED:
    case statusCode.UNAUTHENTICATED:
      return 'PERMISSION_DENIED';
    case statusCode.RESOURCE_EXHAUSTED:
      return 'QUEUE_FULL';
    case statusCode.FAILED_PRECONDITION:
    case statusCode.ALREADY_EXISTS:
    case statusCode.ABORTED:
      return 'REPOSITORY_CONTROL';
    case statusCode.UNIMPLEMENTED:
      return 'UNSUPPORTED_METHOD';
    case statusCode.UNAVAILABLE:
      return 'BACKEND_LOST';
    case statusCode.UNKNOWN:
    case statusCode.INTERNAL:
    case statusCode.DATA_LOSS:
      return 'EXECUTION_FAILED';
    case statusCode.OK:
      return 'BACKEND_PROTOCOL';
  }
}
