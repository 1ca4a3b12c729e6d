import type { ChannelOptions, ServerOptions } from './port.js';
import type { PeerLimits } from './peer-limits.js';

interface Range {
  readonly min: number;
  readonly max: number;
  /** Whole numbers; else Infinity is allowed where max is. */
  readonly whole: boolean;
}

const whole = (min: number, max = 0x7fffffff): Range => ({ min, max, whole: true });
/** Node's timers take no more (24.8 days). */
const timer: Range = whole(1);
/** Compared with a clock. Infinity: never. */
const span: Range = { min: 1, max: Infinity, whole: false };
const rate: Range = { min: 0, max: Infinity, whole: false };

const limitRanges: Readonly<Record<keyof PeerLimits, Range>> = {
  maxConcurrentStreams: whole(1),
  maxHeaderListBytes: whole(1),
  maxHeaderFields: whole(1),
  maxHeaderBlockBytes: whole(1),
  maxContinuations: whole(0),
  // RFC 9113, section 6.5.2: SETTINGS_MAX_FRAME_SIZE, SETTINGS_INITIAL_WINDOW_SIZE.
  maxFrameBytes: whole(16_384, 16_777_215),
  streamWindowBytes: whole(1),
  // A connection begins with that much, and it can only grow (RFC 9113, section 6.9.2).
  connectionWindowBytes: whole(65_535),
  resetBurst: rate,
  resetsPerS: rate,
  idleFrameBurst: rate,
  idleFramesPerS: rate,
  maxUnsentBytes: rate,
  headerTimeoutMs: span,
  bodyIdleTimeoutMs: span,
  minBodyBytesPerS: rate,
  bodyGraceMs: { ...span, min: 0 },
  stallTimeoutMs: span,
};

const ownRanges = {
  // A length prefix has 32 bits (grpc/doc/PROTOCOL-HTTP2).
  maxMessageBytes: whole(1, 0xffffffff),
  maxConcurrentStreams: whole(1),
  maxConnections: whole(1),
  handshakeTimeoutMs: timer,
  maxConnectionAgeMs: span,
  maxConnectionAgeGraceMs: { ...span, min: 0 },
} as const;

type Options = Omit<ServerOptions & ChannelOptions, 'tls'>;

/** Throws a RangeError that names every option which no server or channel could keep, what was expected and what came. */
export function checkOptions(options: Options): void {
  const problems: string[] = [];
  for (const [name, range] of entries(ownRanges)) check(problems, name, range, options[name]);
  const { keepalive, limits } = options;
  if (keepalive !== undefined) {
    check(problems, 'keepalive.timeMs', span, keepalive.timeMs);
    check(problems, 'keepalive.timeoutMs', span, keepalive.timeoutMs);
  }
  if (limits !== undefined) {
    for (const [name, range] of entries(limitRanges)) check(problems, `limits.${name}`, range, limits[name]);
    for (const name of Object.keys(limits))
      if (!(name in limitRanges)) problems.push(`limits.${name}: expected one of ${Object.keys(limitRanges).join(', ')}`);
  }
  if (problems.length > 0) throw new RangeError(problems.join('; '));
}

function check(problems: string[], name: string, { min, max, whole: isWhole }: Range, value: number | undefined): void {
  if (value === undefined) return;
  if (value >= min && value <= max && (!isWhole || Number.isInteger(value))) return;
  const upTo = max === Infinity ? `of at least ${min}` : `from ${min} to ${max}`;
  problems.push(`${name}: expected a ${isWhole ? 'whole number' : 'number'} ${upTo}, got ${String(value)}`);
}

function entries<K extends string>(record: Readonly<Record<K, Range>>): readonly (readonly [K, Range])[] {
  return Object.entries(record) as unknown as readonly (readonly [K, Range])[];
}
