/** RFC 9113, section 6. Plain numbers: these are compared on every frame. */
export const frameType = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

export const frameFlag = {
  /** DATA, HEADERS */
  endStream: 0x1,
  /** SETTINGS, PING */
  ack: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

/** RFC 9113, section 6.5.2 */
export const settingId = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
} as const;

/** RFC 9113, section 7 */
export const errorCode = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
  inadequateSecurity: 0xc,
  http11Required: 0xd,
} as const;
export type ErrorCode = (typeof errorCode)[keyof typeof errorCode];

const names = new Map<number, string>(
  Object.entries(errorCode).map(([name, code]) => [
    code,
    name === 'http11Required' ? 'HTTP_1_1_REQUIRED' : name.replaceAll(/[A-Z]/g, '_$&').toUpperCase(),
  ]),
);

/** E.g. "ENHANCE_YOUR_CALM", as the RFC writes it. */
export function errorName(code: number): string {
  return names.get(code) ?? `error code ${code}`;
}

export const frameHeaderBytes = 9;
/** The smallest that a peer must take, and what it takes until its SETTINGS say otherwise. */
export const minMaxFrameBytes = 16_384;
export const maxMaxFrameBytes = 16_777_215;
export const defaultWindowBytes = 65_535;
export const maxWindowBytes = 2_147_483_647;
export const maxStreamId = 2_147_483_647;

/** What a client sends first (RFC 9113, section 3.4). */
export const clientPreface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
