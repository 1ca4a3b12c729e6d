import type { ErrorCode } from './constants.js';

/** Ends the connection with GOAWAY (RFC 9113, section 5.4.1). */
export class ConnectionError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** Ends one stream with RST_STREAM (RFC 9113, section 5.4.2). */
export class StreamError extends Error {
  readonly streamId: number;
  readonly code: ErrorCode;

  constructor(streamId: number, code: ErrorCode, message: string) {
    super(message);
    this.streamId = streamId;
    this.code = code;
  }
}
