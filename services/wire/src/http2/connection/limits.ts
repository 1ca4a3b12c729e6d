import type { PeerLimits } from '../../peer-limits.js';

export type ConnectionLimits = PeerLimits;

export const defaultLimits: ConnectionLimits = {
  maxConcurrentStreams: 1024,
  maxHeaderListBytes: 64 * 1024,
  maxHeaderFields: 256,
  maxHeaderBlockBytes: 128 * 1024,
  maxContinuations: 32,
  maxFrameBytes: 16 * 1024,
  streamWindowBytes: 1024 * 1024,
  connectionWindowBytes: 16 * 1024 * 1024,
  resetBurst: 2_000,
  resetsPerS: 1_000,
  idleFrameBurst: 1_000,
  idleFramesPerS: 100,
  maxUnsentBytes: 256 * 1024 * 1024,
  headerTimeoutMs: 10_000,
  bodyIdleTimeoutMs: 60_000,
  minBodyBytesPerS: 240,
  bodyGraceMs: 60_000,
  stallTimeoutMs: 60_000,
};
