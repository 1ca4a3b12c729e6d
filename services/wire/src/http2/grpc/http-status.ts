import type { StatusCode } from '@headrace/runtime';
import { statusCode } from '@headrace/runtime';
import { errorCode, errorName } from '../frames/constants.js';

/** For an answer without grpc-status, from a proxy for instance (grpc/doc/http-grpc-status-mapping). */
export function statusOfHttp(httpStatus: number): StatusCode {
  switch (httpStatus) {
    case 400:
      return statusCode.INTERNAL;
    case 401:
      return statusCode.UNAUTHENTICATED;
    case 403:
      return statusCode.PERMISSION_DENIED;
    case 404:
      return statusCode.UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return statusCode.UNAVAILABLE;
    default:
      return statusCode.UNKNOWN;
  }
}

export interface ResetStatus {
  readonly code: StatusCode;
  readonly message: string;
}

/** For a stream that the peer reset (grpc/doc/PROTOCOL-HTTP2, "HTTP2 Transport Mapping": Errors). */
export function statusOfReset(code: number): ResetStatus {
  return { code: codeOfReset(code), message: `the peer reset the stream with ${errorName(code)}` };
}

function codeOfReset(code: number): StatusCode {
  switch (code) {
    case errorCode.refusedStream:
      return statusCode.UNAVAILABLE;
    case errorCode.cancel:
      return statusCode.CANCELLED;
    case errorCode.enhanceYourCalm:
      return statusCode.RESOURCE_EXHAUSTED;
    case errorCode.inadequateSecurity:
      return statusCode.PERMISSION_DENIED;
    default:
      return statusCode.INTERNAL;
  }
}
