import { randomUUID } from 'node:crypto';
import { metadataKey } from '@headrace/proto';
import type { Metadata } from '@headrace/wire';

/** Longer or odd ids are replaced: they go into headers, logs and traces. */
const layout = /^[\x21-\x7e]{1,128}$/;

/** The client's x-request-id, or a new one. */
export function requestIdOf(metadata: Metadata): string {
  const given = metadata.get(metadataKey.requestId);
  return given !== undefined && layout.test(given) ? given : randomUUID();
}
