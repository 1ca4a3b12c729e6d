import { metadataKey } from '@headrace/proto';
import { Metadata } from '@headrace/wire';
import type { Incoming } from '../domain/infer.js';

/** What goes to the backend with a run. A batch carries its first member's; the others' are in the gateway's log and spans. */
export function upstreamMetadata(first: Pick<Incoming, 'requestId' | 'traceparent' | 'tracestate'>): Metadata {
  const metadata = new Metadata();
  metadata.set(metadataKey.requestId, first.requestId);
  if (first.traceparent !== undefined) metadata.set(metadataKey.traceparent, first.traceparent);
  if (first.tracestate !== undefined) metadata.set(metadataKey.tracestate, first.tracestate);
  return metadata;
}
