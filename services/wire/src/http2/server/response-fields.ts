import { statusCode } from '@headrace/runtime';
import type { Metadata } from '../../metadata.js';
import type { WireStatus } from '../../port.js';
import { acceptedEncodings } from '../grpc/encoding.js';
import { appendMetadata } from '../grpc/metadata-fields.js';
import { encodeStatusMessage } from '../grpc/status-text.js';
import type { HeaderFields } from '../hpack/index.js';

/** Arrays that are the same every time are encoded once: see HpackEncoder. */
const head: HeaderFields = [':status', '200', 'content-type', 'application/grpc'];
const gzipHead: HeaderFields = [...head, 'grpc-encoding', 'gzip', 'grpc-accept-encoding', acceptedEncodings];
const okTrailers: HeaderFields = ['grpc-status', '0'];

export function responseHead(gzip: boolean): HeaderFields {
  return gzip ? gzipHead : head;
}

/** What differs by call, behind the head; undefined for nothing. */
export function metadataFields(metadata: Metadata | undefined): HeaderFields | undefined {
  if (metadata === undefined || metadata.size === 0) return undefined;
  const fields: string[] = [];
  appendMetadata(metadata, fields);
  return fields;
}

export function successTrailers(metadata: Metadata | undefined): HeaderFields {
  if (metadata === undefined || metadata.size === 0) return okTrailers;
  const fields = [...okTrailers];
  appendMetadata(metadata, fields);
  return fields;
}

/** For a failed call: OK is no failure and becomes UNKNOWN. `alone`: nothing was sent before (Trailers-Only). */
export function failureTrailers(status: WireStatus, alone: boolean): HeaderFields {
  const code = status.code === statusCode.OK ? statusCode.UNKNOWN : status.code;
  const fields = alone ? [...head] : [];
  fields.push('grpc-status', String(code));
  if (status.message !== '') fields.push('grpc-message', encodeStatusMessage(status.message));
  if (status.trailers !== undefined) appendMetadata(status.trailers, fields);
  return fields;
}
