/** Names that HTTP/2 or gRPC give a meaning. */
export const field = {
  /** A pseudo-header field that is not known here. */
  otherPseudo: -1,
  ordinary: 0,
  method: 1,
  scheme: 2,
  path: 3,
  authority: 4,
  status: 5,
  host: 6,
  te: 7,
  contentType: 8,
  contentLength: 9,
  timeout: 10,
  encoding: 11,
  acceptEncoding: 12,
  grpcStatus: 13,
  grpcMessage: 14,
  /** Specific to a connection of HTTP/1.1 (RFC 9113, section 8.2.2). */
  connection: 15,
} as const;

export type FieldKind = (typeof field)[keyof typeof field];

const colon = 0x3a;

/**
 * Which field a name is. By length first: names come from the network, are equal to no literal by address, and each
 * comparison of texts counts; of one length there are at most four.
 */
export function fieldKind(name: string): FieldKind {
  if (name.charCodeAt(0) === colon) return pseudoKind(name);
  switch (name.length) {
    case 2:
      return name === 'te' ? field.te : field.ordinary;
    case 4:
      return name === 'host' ? field.host : field.ordinary;
    case 7:
      return name === 'upgrade' ? field.connection : field.ordinary;
    case 10:
      return name === 'connection' || name === 'keep-alive' ? field.connection : field.ordinary;
    case 11:
      return name === 'grpc-status' ? field.grpcStatus : field.ordinary;
    case 12:
      if (name === 'content-type') return field.contentType;
      if (name === 'grpc-timeout') return field.timeout;
      return name === 'grpc-message' ? field.grpcMessage : field.ordinary;
    case 13:
      return name === 'grpc-encoding' ? field.encoding : field.ordinary;
    case 14:
      return name === 'content-length' ? field.contentLength : field.ordinary;
    case 16:
      return name === 'proxy-connection' ? field.connection : field.ordinary;
    case 17:
      return name === 'transfer-encoding' ? field.connection : field.ordinary;
    case 20:
      return name === 'grpc-accept-encoding' ? field.acceptEncoding : field.ordinary;
    default:
      return field.ordinary;
  }
}

/** Pseudo-header fields have kinds of 1 to 5. */
export function isPseudo(kind: FieldKind): boolean {
  return kind === field.otherPseudo || (kind >= field.method && kind <= field.status);
}

function pseudoKind(name: string): FieldKind {
  switch (name) {
    case ':path':
      return field.path;
    case ':method':
      return field.method;
    case ':scheme':
      return field.scheme;
    case ':authority':
      return field.authority;
    case ':status':
      return field.status;
    default:
      return field.otherPseudo;
  }
}
