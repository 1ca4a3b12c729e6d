import { statusCode } from '@headrace/runtime';
import type { WireStatus } from '../port.js';
import type { GrpcJsStatus } from './status.js';
import { statusFromGrpc } from './status.js';

/**
 * How grpc-js 1.14 words the failures that happen before the server's handler: it drops its own progress information on
 * the way up, so that the text is all there is. Failures in mid-call read "Connection dropped", "read ECONNRESET" and
 * the like, and are not listed: whoever is not on the list may have been processed.
 */
const neverStarted = [
  // RST_STREAM(REFUSED_STREAM), or a stream above a GOAWAY's last id (RFC 9113, section 8.7).
  'Stream refused by server',
  'No connection established',
  'Name resolution failed',
  'Channel closed before call started',
  'Failed to start HTTP/2 stream',
];

/** What grpc-js calls INTERNAL where its own socket failed, e.g. with "write EPIPE" on a process that was killed. */
const ownSocketFailed = 'triggered by internal client error';
const couldNotStart = 'Failed to start HTTP/2 stream';

export interface CallEnd {
  readonly status: WireStatus;
  readonly notProcessed: boolean;
}

/** `answered`: headers or messages came from the server, so that it certainly saw the call. */
export function callEnd(raw: GrpcJsStatus, answered: boolean): CallEnd {
  const status = statusFromGrpc(raw);
  if (answered || raw.code === statusCode.OK) return { status, notProcessed: false };
  // grpc-js calls a session that closed under its hands INTERNAL; to the caller it is a lost connection.
  if (raw.code === statusCode.INTERNAL && raw.details.startsWith(couldNotStart)) {
    return { status: { ...status, code: statusCode.UNAVAILABLE }, notProcessed: true };
  }
  // It tells ECONNRESET and ETIMEDOUT from defects of its own, but not EPIPE and the rest of a connection's deaths.
  if (raw.code === statusCode.INTERNAL && raw.details.includes(ownSocketFailed)) {
    return { status: { ...status, code: statusCode.UNAVAILABLE }, notProcessed: false };
  }
  // Trailers prove that a server wrote the text, whatever it says.
  const fromHere = raw.code === statusCode.UNAVAILABLE && Object.keys(raw.metadata.getMap()).length === 0;
  return { status, notProcessed: fromHere && neverStarted.some((start) => raw.details.startsWith(start)) };
}

export const closedChannel: CallEnd = {
  status: { code: statusCode.UNAVAILABLE, message: 'the channel is closed' },
  notProcessed: true,
};
