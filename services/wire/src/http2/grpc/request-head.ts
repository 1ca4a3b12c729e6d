import type { StatusCode } from '@headrace/runtime';
import { statusCode } from '@headrace/runtime';
import type { Metadata } from '../../metadata.js';
import type { HeaderFields } from '../hpack/index.js';
import type { MessageEncoding } from './encoding.js';
import { acceptedEncodings, isGrpcContentType, listsGzip, parseEncoding } from './encoding.js';
import { fieldProblem, isFieldValue, shown } from './field-rules.js';
import { field, fieldKind, isPseudo } from './known-fields.js';
import { metadataOf } from './metadata-fields.js';
import { parseTimeout } from './timeout.js';

/** A request's header list, read once. */
export interface RequestHead {
  readonly kind: 'request';
  /** "/package.Service/Method", unless the client is odd; it starts with "/". */
  readonly path: string;
  /** :authority, else host, else empty. Host is not compared with :authority, as nothing here is chosen by either. */
  readonly authority: string;
  /** Undefined when the client set none. */
  readonly timeoutMs: number | undefined;
  /** Of the client's messages. */
  readonly encoding: MessageEncoding;
  /** May the replies be compressed with gzip? */
  readonly acceptsGzip: boolean;
  /** The bytes of DATA that the client promised, -1 for no promise. Others make the request malformed (section 8.1.1). */
  readonly contentLength: number;
  /** Made when somebody asks, and shared by all calls with this header list. */
  readonly metadata: LazyMetadata;
}

export class LazyMetadata {
  readonly #fields: HeaderFields;
  #made: Metadata | undefined;

  constructor(fields: HeaderFields) {
    this.#fields = fields;
  }

  get(): Metadata {
    this.#made ??= metadataOf(this.#fields).freeze();
    return this.#made;
  }
}

export type HeadProblem =
  /** RST_STREAM with PROTOCOL_ERROR (RFC 9113, section 8.1.1). */
  | { readonly kind: 'malformed'; readonly text: string }
  /** Sound HTTP, but not gRPC: answered with this :status and no body. A 405 carries "allow: POST" (RFC 9110, section 15.5.6). */
  | { readonly kind: 'http'; readonly httpStatus: 405 | 415; readonly text: string; readonly contentLength: number }
  /** gRPC that cannot be served: a trailers-only answer, with grpc-accept-encoding where that is given. */
  | {
      readonly kind: 'status';
      readonly code: StatusCode;
      readonly message: string;
      readonly acceptEncoding: string | undefined;
      readonly contentLength: number;
    };

/**
 * Checks the header list of a request against HTTP/2 (RFC 9113, sections 8.2 and 8.3) and gRPC. What is malformed as
 * HTTP is found in any request before it is looked at as gRPC, so that a server of other things can use this too.
 */
export function readRequestHead(fields: HeaderFields): RequestHead | HeadProblem {
  let method: string | undefined;
  let scheme: string | undefined;
  let path: string | undefined;
  let authority: string | undefined;
  let host: string | undefined;
  let contentType: string | undefined;
  let timeout: string | undefined;
  let encoding: string | undefined;
  let acceptsGzip = false;
  let contentLength = -1;
  let regular = false;

  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? '';
    const value = fields[at + 1] ?? '';
    const kind = fieldKind(name);
    if (isPseudo(kind)) {
      if (regular) return malformed(`${shown(name)} after ordinary fields`);
      if (!isFieldValue(value)) return malformed(`${shown(name)}: NUL, CR or LF in its value ${shown(value)}`);
      switch (kind) {
        case field.method:
          if (method !== undefined) return repeated(name);
          method = value;
          break;
        case field.scheme:
          if (scheme !== undefined) return repeated(name);
          scheme = value;
          break;
        case field.path:
          if (path !== undefined) return repeated(name);
          path = value;
          break;
        case field.authority:
          if (authority !== undefined) return repeated(name);
          authority = value;
          break;
        default:
          return malformed(`${shown(name)} is no pseudo-header field of a request`);
      }
      continue;
    }
    regular = true;
    const problem = fieldProblem(kind, name, value);
    if (problem !== undefined) return malformed(problem);
    switch (kind) {
      case field.te:
        // RFC 9113, section 8.2.2. gRPC asks for it, but nothing depends on it.
        if (value !== 'trailers') return malformed(`te: expected "trailers", got ${shown(value)}`);
        break;
      case field.contentType:
        contentType ??= value;
        break;
      case field.timeout:
        timeout ??= value;
        break;
      case field.encoding:
        encoding ??= value;
        break;
      case field.acceptEncoding:
        acceptsGzip ||= listsGzip(value);
        break;
      case field.contentLength: {
        const length = parseLength(value);
        if (length < 0 || (contentLength >= 0 && length !== contentLength)) {
          return malformed(`content-length: expected one number, got ${shown(value)}`);
        }
        contentLength = length;
        break;
      }
      case field.host:
        host ??= value;
        break;
      default:
        break;
    }
  }

  if (method !== 'POST') return otherMethod(method, scheme, path, authority, contentLength);
  if (scheme === undefined || scheme === '') return malformed(':scheme is missing');
  if (path === undefined) return malformed(':path is missing');
  if (!path.startsWith('/')) return malformed(`:path: expected "/" in front, got ${shown(path)}`);
  if (contentType === undefined || !isGrpcContentType(contentType)) {
    const text = `content-type: expected application/grpc, got ${contentType === undefined ? 'none' : shown(contentType)}`;
    return { kind: 'http', httpStatus: 415, text, contentLength };
  }
  let timeoutMs: number | undefined;
  if (timeout !== undefined) {
    timeoutMs = parseTimeout(timeout);
    if (timeoutMs === undefined) {
      const message = `grpc-timeout: expected 1 to 8 digits and one of H M S m u n, got ${shown(timeout)}`;
      return { kind: 'status', code: statusCode.INTERNAL, message, acceptEncoding: undefined, contentLength };
    }
  }
  const parsed = encoding === undefined ? 'identity' : parseEncoding(encoding);
  if (parsed === undefined) {
    const message = `grpc-encoding: expected one of ${acceptedEncodings}, got ${shown(encoding ?? '')}`;
    return { kind: 'status', code: statusCode.UNIMPLEMENTED, message, acceptEncoding: acceptedEncodings, contentLength };
  }
  return {
    kind: 'request',
    path,
    authority: authority ?? host ?? '',
    timeoutMs,
    encoding: parsed,
    acceptsGzip,
    contentLength,
    metadata: new LazyMetadata(fields),
  };
}

/**
 * Reads the header lists of one connection. A steady caller's block repeats, and HPACK then gives the very same list
 * again: its head is remembered, and such a call costs neither a check nor an allocation here.
 */
export class RequestHeads {
  #fields: HeaderFields | undefined;
  #head: RequestHead | HeadProblem | undefined;

  read(fields: HeaderFields): RequestHead | HeadProblem {
    if (this.#head !== undefined && this.#fields === fields) return this.#head;
    this.#fields = fields;
    this.#head = readRequestHead(fields);
    return this.#head;
  }
}

/** Trailers of a request: no pseudo-header fields (RFC 9113, section 8.1), and otherwise nothing of interest to gRPC. */
export function requestTrailersProblem(fields: HeaderFields): HeadProblem | undefined {
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? '';
    const kind = fieldKind(name);
    if (isPseudo(kind)) return malformed(`${shown(name)} in trailers`);
    const problem = fieldProblem(kind, name, fields[at + 1] ?? '');
    if (problem !== undefined) return malformed(problem);
  }
  return undefined;
}

/** Malformed, or sound HTTP that gRPC has no use for; the rules for CONNECT and OPTIONS differ (sections 8.3.1 and 8.5). */
function otherMethod(
  method: string | undefined,
  scheme: string | undefined,
  path: string | undefined,
  authority: string | undefined,
  contentLength: number,
): HeadProblem {
  if (method === undefined || method === '') return malformed(':method is missing');
  if (method === 'CONNECT') {
    if (scheme !== undefined || path !== undefined) return malformed('CONNECT with :scheme or :path');
    if (authority === undefined) return malformed('CONNECT without :authority');
  } else {
    if (scheme === undefined || scheme === '') return malformed(':scheme is missing');
    if (path === undefined) return malformed(':path is missing');
    const wholeServer = method === 'OPTIONS' && path === '*';
    if (!path.startsWith('/') && !wholeServer) return malformed(`:path: expected "/" in front, got ${shown(path)}`);
  }
  return { kind: 'http', httpStatus: 405, text: `:method: expected POST, got ${shown(method)}`, contentLength };
}

function malformed(text: string): HeadProblem {
  return { kind: 'malformed', text };
}

function repeated(name: string): HeadProblem {
  return malformed(`${name} twice`);
}

/** -1 when it is no number, or one that cannot be counted exactly. */
function parseLength(value: string): number {
  if (!/^\d{1,15}$/.test(value)) return -1;
  return Number(value);
}
