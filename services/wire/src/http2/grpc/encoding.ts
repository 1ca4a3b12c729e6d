/** What a message may be compressed with. */
export type MessageEncoding = 'identity' | 'gzip';

/** Our grpc-accept-encoding. */
export const acceptedEncodings = 'identity,gzip';

/** Of a grpc-encoding value; undefined for one that is not supported. */
export function parseEncoding(value: string): MessageEncoding | undefined {
  return value === 'identity' || value === 'gzip' ? value : undefined;
}

/** Does this grpc-accept-encoding list name gzip? */
export function listsGzip(value: string): boolean {
  if (value === acceptedEncodings || value === 'identity,deflate,gzip' || value === 'gzip') return true;
  return value.includes('gzip') && value.split(',').some((entry) => entry.trim() === 'gzip');
}

const grpcType = 'application/grpc';

/** "application/grpc", alone or with a subtype ("+proto") or parameters (";"); gRPC-Web is another protocol. */
export function isGrpcContentType(value: string): boolean {
  if (value === grpcType) return true;
  const type = value.toLowerCase();
  if (!type.startsWith(grpcType)) return false;
  const next = type.charAt(grpcType.length);
  return next === '' || next === '+' || next === ';' || next === ' ';
}
