import type grpc from '@grpc/grpc-js';
import type { StatusCode } from '@headrace/runtime';
import { statusCode } from '@headrace/runtime';
import type { WireStatus } from '../port.js';
import { cutStatusMessage } from '../status-message.js';
import { fromGrpc, toGrpc } from './metadata.js';

const codes = new Set<number>(Object.values(statusCode));

export interface GrpcJsStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: grpc.Metadata;
}

/** For a failed call: OK is no failure and becomes UNKNOWN. */
export function failureToGrpc(status: WireStatus): GrpcJsStatus {
  const code = status.code === statusCode.OK ? statusCode.UNKNOWN : status.code;
  return { code, details: messageText(status.message), metadata: toGrpc(status.trailers) };
}

export function statusFromGrpc(status: GrpcJsStatus): WireStatus {
  return { code: toStatusCode(status.code), message: status.details, trailers: fromGrpc(status.metadata) };
}

export function toStatusCode(code: number): StatusCode {
  return codes.has(code) ? (code as StatusCode) : statusCode.UNKNOWN;
}

/** Cut to length, and free of lone surrogates, on which grpc-js's encodeURI would throw. */
function messageText(message: string): string {
  return cutStatusMessage(message).replaceAll(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}
