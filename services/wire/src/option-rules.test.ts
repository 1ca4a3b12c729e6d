import { silentLogger, systemClock } from '@headrace/runtime';
import { describe, expect, it } from 'vitest';
import { grpcJsTransport } from './grpc-js/transport.js';
import { defaultLimits } from './http2/connection/limits.js';
import { http2Transport } from './http2/transport.js';
import { checkOptions } from './option-rules.js';

describe('checkOptions', () => {
  it.each<readonly [string, Parameters<typeof checkOptions>[0]]>([
    ['nothing', {}],
    ['the defaults', { limits: defaultLimits }],
    ['the ends of ranges', { maxMessageBytes: 0xffffffff, limits: { maxFrameBytes: 16_777_215, streamWindowBytes: 1 } }],
    [
      'no limit on resets, and no keepalive',
      { limits: { resetBurst: Infinity }, keepalive: { timeMs: Infinity, timeoutMs: 1, withoutCalls: true } },
    ],
  ])('takes %s', (_name, options) => {
    expect(() => checkOptions(options)).not.toThrow();
  });

  it.each<readonly [string, Parameters<typeof checkOptions>[0], string]>([
    ['a message size of 0', { maxMessageBytes: 0 }, 'maxMessageBytes: expected a whole number from 1 to 4294967295, got 0'],
    ['half a stream', { maxConcurrentStreams: 0.5 }, 'maxConcurrentStreams: expected a whole number from 1 to 2147483647, got 0.5'],
    [
      'a frame below the RFC’s least',
      { limits: { maxFrameBytes: 16_383 } },
      'limits.maxFrameBytes: expected a whole number from 16384 to 16777215, got 16383',
    ],
    [
      'a window above 2^31-1',
      { limits: { streamWindowBytes: 2 ** 31 } },
      'limits.streamWindowBytes: expected a whole number from 1 to 2147483647, got 2147483648',
    ],
    [
      'a connection window that HTTP/2 cannot have',
      { limits: { connectionWindowBytes: 65_534 } },
      'limits.connectionWindowBytes: expected a whole number from 65535',
    ],
    ['a timeout that is no number', { limits: { stallTimeoutMs: NaN } }, 'limits.stallTimeoutMs: expected a number of at least 1, got NaN'],
    [
      'keepalive without pause',
      { keepalive: { timeMs: 0, timeoutMs: 1, withoutCalls: true } },
      'keepalive.timeMs: expected a number of at least 1, got 0',
    ],
    [
      'an endless handshake',
      { handshakeTimeoutMs: Infinity },
      'handshakeTimeoutMs: expected a whole number from 1 to 2147483647, got Infinity',
    ],
    ['an age of nothing', { maxConnectionAgeMs: 0 }, 'maxConnectionAgeMs: expected a number of at least 1, got 0'],
    // What a file or JavaScript brings.
    ['a limit that there is not', { limits: { maxStreams: 1 } as object }, 'limits.maxStreams: expected one of maxConcurrentStreams, '],
  ])('refuses %s', (_name, options, text) => {
    expect(() => checkOptions(options)).toThrow(RangeError);
    expect(() => checkOptions(options)).toThrow(text);
  });

  it('names all that is wrong at once', () => {
    expect(() => checkOptions({ maxMessageBytes: -1, limits: { headerTimeoutMs: 0 } })).toThrow(
      /maxMessageBytes: .*; limits\.headerTimeoutMs: /,
    );
  });

  it.each([
    ['http2', http2Transport(systemClock)],
    ['grpc-js', grpcJsTransport(systemClock, silentLogger)],
  ])('is asked by servers and channels of %s', (_name, transport) => {
    expect(() => transport.createServer({ maxConnections: 0 })).toThrow(/maxConnections/);
    expect(() => transport.openChannel('127.0.0.1:1', { handshakeTimeoutMs: 0 })).toThrow(/handshakeTimeoutMs/);
  });

  it('budgets of the transport are checked as well', () => {
    expect(() => http2Transport(systemClock, silentLogger, { maxHeldBytes: 0 })).toThrow(
      'maxHeldBytes: expected a number of at least 1, got 0',
    );
    expect(() => http2Transport(systemClock, silentLogger, { maxReceiveBytes: NaN })).toThrow('maxReceiveBytes');
  });
});
