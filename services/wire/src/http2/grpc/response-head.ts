import type { StatusCode } from '@headrace/runtime';
import { statusCode } from '@headrace/runtime';
import type { HeaderFields } from '../hpack/index.js';
import type { MessageEncoding } from './encoding.js';
import { acceptedEncodings, isGrpcContentType, listsGzip, parseEncoding } from './encoding.js';
import { fieldProblem, shown } from './field-rules.js';
import { statusOfHttp } from './http-status.js';
import { field, fieldKind, isPseudo } from './known-fields.js';
import { decodeStatusMessage } from './status-text.js';

/** How the server ended the call, by trailers or by a trailers-only answer; of the fields, metadataOf makes the trailers. */
export interface ResponseEnd {
  readonly kind: 'end';
  readonly code: StatusCode;
  readonly message: string;
  readonly fields: HeaderFields;
}

/** The stream is to be reset with PROTOCOL_ERROR; the call ends with INTERNAL. */
export interface MalformedResponse {
  readonly kind: 'malformed';
  readonly text: string;
}

export type ResponseHead =
  /** Messages and trailers follow. */
  | {
      readonly kind: 'headers';
      /** Nearly always 200; readTrailers wants it in case that trailers lack a status. */
      readonly httpStatus: number;
      readonly encoding: MessageEncoding;
      /** Does the server take messages compressed with gzip? */
      readonly acceptsGzip: boolean;
      readonly fields: HeaderFields;
    }
  | ResponseEnd
  /** An answer that gRPC cannot read, from a proxy for instance: the call ends with this status, the stream is to be reset with CANCEL. */
  | { readonly kind: 'failed'; readonly code: StatusCode; readonly message: string; readonly fields: HeaderFields }
  /** 1xx: the response is still to come. */
  | { readonly kind: 'interim' }
  | MalformedResponse;

/**
 * The first header list of a response. `endStream`: its HEADERS frame ended the stream, which makes it a trailers-only
 * answer. There a grpc-status counts whatever else the answer says; without one the HTTP status decides.
 */
export function readResponseHead(fields: HeaderFields, endStream: boolean): ResponseHead {
  let httpStatus = -1;
  let contentType: string | undefined;
  let encoding: string | undefined;
  let grpcStatus: string | undefined;
  let grpcMessage: string | undefined;
  let acceptsGzip = false;
  let regular = false;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? '';
    const value = fields[at + 1] ?? '';
    const kind = fieldKind(name);
    if (isPseudo(kind)) {
      if (regular) return malformed(`${shown(name)} after ordinary fields`);
      if (kind !== field.status) return malformed(`${shown(name)} is no pseudo-header field of a response`);
      if (httpStatus >= 0) return malformed(':status twice');
      httpStatus = parseHttpStatus(value);
      if (httpStatus < 0) return malformed(`:status: expected three digits, got ${shown(value)}`);
      continue;
    }
    regular = true;
    const problem = fieldProblem(kind, name, value);
    if (problem !== undefined) return malformed(problem);
    switch (kind) {
      case field.contentType:
        contentType ??= value;
        break;
      case field.encoding:
        encoding ??= value;
        break;
      case field.acceptEncoding:
        acceptsGzip ||= listsGzip(value);
        break;
      case field.grpcStatus:
        grpcStatus ??= value;
        break;
      case field.grpcMessage:
        grpcMessage ??= value;
        break;
      default:
        break;
    }
  }
  if (httpStatus < 0) return malformed(':status is missing');
  if (httpStatus < 200) {
    // RFC 9113, sections 8.1 and 8.6.
    if (endStream || httpStatus === 101) return malformed(`:status ${httpStatus} ends no response of HTTP/2`);
    return { kind: 'interim' };
  }
  if (endStream) return endOf(grpcStatus, grpcMessage, httpStatus, fields);
  if (contentType === undefined || !isGrpcContentType(contentType)) {
    const type = contentType === undefined ? 'no content-type' : `content-type ${shown(contentType)}`;
    const message = `expected an answer in application/grpc, got HTTP status ${httpStatus} with ${type}`;
    return { kind: 'failed', code: statusOfHttp(httpStatus), message, fields };
  }
  const parsed = encoding === undefined ? 'identity' : parseEncoding(encoding);
  if (parsed === undefined) {
    const message = `grpc-encoding: expected one of ${acceptedEncodings}, got ${shown(encoding ?? '')}`;
    return { kind: 'failed', code: statusCode.INTERNAL, message, fields };
  }
  return { kind: 'headers', httpStatus, encoding: parsed, acceptsGzip, fields };
}

/** The header list behind the messages. `httpStatus`: of the response's head, for trailers without a status. */
export function readTrailers(fields: HeaderFields, httpStatus = 200): ResponseEnd | MalformedResponse {
  let grpcStatus: string | undefined;
  let grpcMessage: string | undefined;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? '';
    const value = fields[at + 1] ?? '';
    const kind = fieldKind(name);
    if (isPseudo(kind)) return malformed(`${shown(name)} in trailers`);
    const problem = fieldProblem(kind, name, value);
    if (problem !== undefined) return malformed(problem);
    if (kind === field.grpcStatus) grpcStatus ??= value;
    else if (kind === field.grpcMessage) grpcMessage ??= value;
  }
  return endOf(grpcStatus, grpcMessage, httpStatus, fields);
}

function endOf(grpcStatus: string | undefined, grpcMessage: string | undefined, httpStatus: number, fields: HeaderFields): ResponseEnd {
  if (grpcStatus === '0' && grpcMessage === undefined) return { kind: 'end', code: statusCode.OK, message: '', fields };
  const message = grpcMessage === undefined ? '' : decodeStatusMessage(grpcMessage);
  if (grpcStatus === undefined) {
    const text = `the server ended the call without grpc-status (HTTP status ${httpStatus})`;
    return { kind: 'end', code: statusOfHttp(httpStatus), message: message === '' ? text : message, fields };
  }
  const code = parseStatus(grpcStatus);
  if (code !== undefined) return { kind: 'end', code, message, fields };
  const text = `grpc-status: expected a code from 0 to 16, got ${shown(grpcStatus)}`;
  return { kind: 'end', code: statusCode.UNKNOWN, message: message === '' ? text : message, fields };
}

const codes: readonly StatusCode[] = Object.values(statusCode);
/** "0" => OK, ... A code is only known as gRPC writes it: no sign, space or leading zero. */
const codesByText = new Map<string, StatusCode>(codes.map((code) => [String(code), code]));

function parseStatus(value: string): StatusCode | undefined {
  return codesByText.get(value);
}

/** 100 to 599; -1 for anything else. */
function parseHttpStatus(value: string): number {
  if (value === '200') return 200;
  return /^[1-5]\d\d$/.test(value) ? Number(value) : -1;
}

function malformed(text: string): MalformedResponse {
  return { kind: 'malformed', text };
}
