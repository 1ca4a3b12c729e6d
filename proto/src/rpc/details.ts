import type { BadRequest, BadRequest__Output } from '../gen/google/rpc/BadRequest.js';
import type { ErrorInfo, ErrorInfo__Output } from '../gen/google/rpc/ErrorInfo.js';
import type { QuotaFailure, QuotaFailure__Output } from '../gen/google/rpc/QuotaFailure.js';
import type { RetryInfo, RetryInfo__Output } from '../gen/google/rpc/RetryInfo.js';
import type { Status, Status__Output } from '../gen/google/rpc/Status.js';
import { messageCodec } from './codec.js';
import type { Codec } from './codec.js';

const statusCodec: Codec<Status, Status__Output> = messageCodec('google.rpc.Status');
const errorInfoCodec: Codec<ErrorInfo, ErrorInfo__Output> = messageCodec('google.rpc.ErrorInfo');
const badRequestCodec: Codec<BadRequest, BadRequest__Output> = messageCodec('google.rpc.BadRequest');
const retryInfoCodec: Codec<RetryInfo, RetryInfo__Output> = messageCodec('google.rpc.RetryInfo');
const quotaFailureCodec: Codec<QuotaFailure, QuotaFailure__Output> = messageCodec('google.rpc.QuotaFailure');

/** One detail to send. */
export type StatusDetail =
  | { readonly type: 'ErrorInfo'; readonly value: ErrorInfo }
  | { readonly type: 'BadRequest'; readonly value: BadRequest }
  | { readonly type: 'RetryInfo'; readonly value: RetryInfo }
  | { readonly type: 'QuotaFailure'; readonly value: QuotaFailure };

/** One detail that came; of a type not known here only the name and the bytes. */
export type ReceivedStatusDetail =
  | { readonly type: 'ErrorInfo'; readonly value: ErrorInfo__Output }
  | { readonly type: 'BadRequest'; readonly value: BadRequest__Output }
  | { readonly type: 'RetryInfo'; readonly value: RetryInfo__Output }
  | { readonly type: 'QuotaFailure'; readonly value: QuotaFailure__Output }
  | { readonly type: 'unknown'; readonly typeUrl: string; readonly bytes: Buffer };

export interface ReceivedStatus {
  /** gRPC status code. */
  readonly code: number;
  readonly message: string;
  readonly details: readonly ReceivedStatusDetail[];
}

const typeUrlPrefix = 'type.googleapis.com/google.rpc.';

/** The value of grpc-status-details-bin: google.rpc.Status with each detail packed as Any. */
function encodeStatusDetails(code: number, message: string, details: readonly StatusDetail[]): Buffer {
  return statusCodec.encode({
    code,
    message,
    details: details.map((detail) => ({ type_url: typeUrlPrefix + detail.type, value: encodeDetail(detail) })),
  });
}

function encodeDetail(detail: StatusDetail): Buffer {
  switch (detail.type) {
    case 'ErrorInfo':
      return errorInfoCodec.encode(detail.value);
    case 'BadRequest':
      return badRequestCodec.encode(detail.value);
    case 'RetryInfo':
      return retryInfoCodec.encode(detail.value);
    case 'QuotaFailure':
      return quotaFailureCodec.encode(detail.value);
  }
}

/** Reverse of encodeStatusDetails. Throws an Error when the bytes, or a detail of a known type, cannot be decoded. */
function decodeStatusDetails(bytes: Buffer): ReceivedStatus {
  const status = statusCodec.decode(bytes);
  return {
    code: status.code,
    message: status.message,
    details: status.details.map((any) => {
      // Without the loader's `json` option an Any stays as it came: a name and bytes.
      const { type_url: typeUrl, value } = any;
      return decodeDetail(typeUrl, value);
    }),
  };
}

function decodeDetail(typeUrl: string, bytes: Buffer): ReceivedStatusDetail {
  // Only the part after the last slash names the type (google/protobuf/any.proto).
  switch (typeUrl.slice(typeUrl.lastIndexOf('/') + 1)) {
    case 'google.rpc.ErrorInfo':
      return { type: 'ErrorInfo', value: errorInfoCodec.decode(bytes) };
    case 'google.rpc.BadRequest':
      return { type: 'BadRequest', value: badRequestCodec.decode(bytes) };
    case 'google.rpc.RetryInfo':
      return { type: 'RetryInfo', value: retryInfoCodec.decode(bytes) };
    case 'google.rpc.QuotaFailure':
      return { type: 'QuotaFailure', value: quotaFailureCodec.decode(bytes) };
    default:
      return { type: 'unknown', typeUrl, bytes };
  }
}

/** google.rpc error details: each message on its own, and all together as grpc-status-details-bin. */
export const rpcDetails = {
  Status: statusCodec,
  ErrorInfo: errorInfoCodec,
  BadRequest: badRequestCodec,
  RetryInfo: retryInfoCodec,
  QuotaFailure: quotaFailureCodec,
  encodeStatusDetails,
  decodeStatusDetails,
} as const;
