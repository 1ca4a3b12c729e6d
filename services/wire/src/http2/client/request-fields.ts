import type { Metadata } from '../../metadata.js';
import { acceptedEncodings } from '../grpc/encoding.js';
import { appendMetadata } from '../grpc/metadata-fields.js';
import { formatTimeout } from '../grpc/timeout.js';
import type { HeaderFields } from '../hpack/index.js';
import type { ClientContext } from './client-context.js';

/** Callers use a handful of methods; a channel that is asked for ever new ones does not remember them all. */
const maxPaths = 256;

/** What is the same for every call of a method: the same array each time, so that HPACK encodes it once. */
export function requestFields(context: ClientContext, path: string): HeaderFields {
  const known = context.requests.get(path);
  if (known !== undefined) return known;
  const fields: HeaderFields = [
    ':method',
    'POST',
    ':scheme',
    context.secure ? 'https' : 'http',
    ':path',
    path,
    ':authority',
    context.authority,
    'te',
    'trailers',
    'content-type',
    'application/grpc',
    'user-agent',
    'headrace',
    ...(context.compress ? ['grpc-encoding', 'gzip'] : []),
    'grpc-accept-encoding',
    acceptedEncodings,
  ];
  if (context.requests.size < maxPaths) context.requests.set(path, fields);
  return fields;
}

/** What differs by call. */
export function requestExtras(leftMs: number, metadata: Metadata | undefined): HeaderFields | undefined {
  if (leftMs === Infinity && (metadata === undefined || metadata.size === 0)) return undefined;
  const fields: string[] = [];
  if (leftMs !== Infinity) fields.push('grpc-timeout', formatTimeout(leftMs));
  if (metadata !== undefined) appendMetadata(metadata, fields);
  return fields;
}
