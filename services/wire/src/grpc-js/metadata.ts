import grpc from '@grpc/grpc-js';
import { Metadata } from '../metadata.js';
import { keyLayout, printableText, transportKeys } from '../metadata-rules.js';

/** To hand to grpc-js where a call has no metadata; grpc-js copies it and never writes to it. */
export const emptyGrpcMetadata = new grpc.Metadata();

export function fromGrpc(source: grpc.Metadata): Metadata {
  const target = new Metadata();
  for (const [key, values] of Object.entries(source.toJSON())) {
    // Keys outside the alphabet are left out, as a peer must not make us throw.
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
  // grpc-js throws on text that HTTP/2 cannot carry.
  for (const [key, values] of source.entries()) {
    for (const value of values) target.add(key, typeof value === 'string' ? printableText(value) : value);
  }
}
