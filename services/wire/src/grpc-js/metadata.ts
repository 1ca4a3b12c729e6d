import grpc from '@grpc/grpc-js';
import { Metadata } from '../metadata.js';

/** What gRPC and HTTP/2 use for themselves; it never shows above the port. */
const transportKeys = new Set([
  'accept-encoding',
  'content-length',
  'content-type',
  'date',
  'grpc-accept-encoding',
  'grpc-encoding',
  'grpc-message',
  'grpc-status',
  'grpc-timeout',
  'te',
]);

/** Keys outside the gRPC alphabet (possible in HTTP/2, not in gRPC) are left out, as a peer must not make us throw. */
const keyLayout = /^[0-9a-z_.-]+$/;

/** To hand to grpc-js where a call has no metadata; grpc-js copies it and never writes to it. */
export const emptyGrpcMetadata = new grpc.Metadata();

export function fromGrpc(source: grpc.Metadata): Metadata {
  const target = new Metadata();
  for (const [key, values] of Object.entries(source.toJSON())) {
    if (transportKeys.has(key) || !keyLayout.test(key)) continue;
    const binary = key.endsWith('-bin');
    for (const value of values) if (Buffer.isBuffer(value) === binary) target.append(key, value);
  }
  return target;
}

export function toGrpc(source: Metadata | undefined): grpc.Metadata {
  if (source === undefined || source.size === 0) return emptyGrpcMetadata;
  const target = new grpc.Metadata();
  fill(target, source);
  return target;
}

export function fill(target: grpc.Metadata, source: Metadata): void {
  for (const [key, values] of source.entries()) {
    for (const value of values) target.add(key, typeof value === 'string' ? headerText(value) : value);
  }
}

/**
 * Printable ASCII only (grpc/doc/PROTOCOL-HTTP2: ASCII-Value). grpc-js throws on what HTTP/2 cannot carry, and a value
 * that merely quotes the caller (a request id) must not fail the call: other characters become "?".
 */
function headerText(value: string): string {
  return /^[\x20-\x7e]*$/.test(value) ? value : value.replaceAll(/[^\x20-\x7e]/g, '?');
}
