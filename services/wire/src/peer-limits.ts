/**
 * What one peer may make us hold or do. The defaults let through everything that gRPC libraries and proxies do, and bound what
 * a hostile peer can cost; each names the attack that it answers.
 */
export interface PeerLimits {
  /** Streams at once that a client may have open; above it REFUSED_STREAM. Default 1,024. */
  readonly maxConcurrentStreams: number;
  /** Decoded header list with 32 bytes for each field (HPACK bomb, huge header lists). Default 64 KiB. */
  readonly maxHeaderListBytes: number;
  /** Default 256. */
  readonly maxHeaderFields: number;
  /** Encoded header block over all its frames (CONTINUATION flood, CVE-2024-27316). Default 128 KiB. */
  readonly maxHeaderBlockBytes: number;
  /** Default 32. */
  readonly maxContinuations: number;
  /** Payload of one frame that we take; announced. Default 16 KiB. */
  readonly maxFrameBytes: number;
  /** What a peer may send on one stream before the handler has taken it. Default 1 MiB. */
  readonly streamWindowBytes: number;
  /** The same for the connection as a whole; reopened as bytes arrive. Default 16 MiB. */
  readonly connectionWindowBytes: number;
  /**
   * Streams that the peer reset before they were answered, or that it made us reset (rapid reset, CVE-2023-44487): so many at once, then so
   * many a second. Callers that give up under overload do this honestly, thousands of them behind one proxy; a reset costs us some 10 us. Default 2,000
   * and 1,000.
   */
  readonly resetBurst: number;
  readonly resetsPerS: number;
  /**
   * Frames that carry nothing: PING (but one between two DATA frames of ours), SETTINGS, PRIORITY, empty DATA and CONTINUATION, unknown
   * types (floods). Default 1,000 and 100.
   */
  readonly idleFrameBurst: number;
  readonly idleFramesPerS: number;
  /**
   * Bytes that wait for a peer that does not read (acknowledgements included), before one more reply is added: with it, the longest reply
   * may wait as well. What a client sends is its caller's and not counted here. Default 256 MiB: a few
   * replies of the largest size, behind a slow network.
   */
  readonly maxUnsentBytes: number;
  /** The preface, a header block or a frame must be complete so long after its first byte, however it is fed (slow loris). Default 10 s. */
  readonly headerTimeoutMs: number;
  /** A message must make progress within it (slow bodies). Default 60 s. */
  readonly bodyIdleTimeoutMs: number;
  /**
   * And it must come at this pace, counted from when it began: a byte a minute is progress, and would hold a stream for years. Default 240 bytes a
   * second, as Kestrel (ASP.NET Core), above what any network that carries tensors has.
   */
  readonly minBodyBytesPerS: number;
  /** The pace is not asked for before a message has taken so long. Default 60 s. */
  readonly bodyGraceMs: number;
  /** A socket that takes nothing for so long ends the connection, a window that is not opened its
   * unary call (window stall). A streaming call may wait as long as its reader likes: its handler is held up, and what waits is bounded. Default 60 s. */
  readonly stallTimeoutMs: number;
}
