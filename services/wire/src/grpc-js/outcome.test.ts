import grpc from '@grpc/grpc-js';
import { statusCode } from '@headrace/runtime';
import { describe, expect, it } from 'vitest';
import { callEnd } from './outcome.js';

function raw(code: number, details: string, trailers: Record<string, string> = {}) {
  const metadata = new grpc.Metadata();
  for (const [key, value] of Object.entries(trailers)) metadata.set(key, value);
  return { code, details, metadata };
}

describe('callEnd', () => {
  const { UNAVAILABLE, INTERNAL, UNKNOWN } = statusCode;
  it.each([
    ['a refused stream', raw(UNAVAILABLE, 'Stream refused by server'), false, UNAVAILABLE, true],
    ['no connection', raw(UNAVAILABLE, 'No connection established. Last error: ECONNREFUSED'), false, UNAVAILABLE, true],
    ['an unknown host', raw(UNAVAILABLE, 'Name resolution failed for target dns:x:1'), false, UNAVAILABLE, true],
    ['a session that closed before the stream', raw(INTERNAL, 'Failed to start HTTP/2 stream with error x'), false, UNAVAILABLE, true],
    ['a lost connection', raw(UNAVAILABLE, 'Connection dropped'), false, UNAVAILABLE, false],
    ['a reset connection', raw(UNAVAILABLE, 'read ECONNRESET'), false, UNAVAILABLE, false],
    [
      'a socket that failed under the call',
      raw(INTERNAL, 'Received RST_STREAM with code 2 triggered by internal client error: write EPIPE'),
      false,
      UNAVAILABLE,
      false,
    ],
    ['a server that says UNAVAILABLE', raw(UNAVAILABLE, 'draining'), false, UNAVAILABLE, false],
    [
      'a server that imitates the text, with trailers',
      raw(UNAVAILABLE, 'Stream refused by server', { 'x-a': '1' }),
      false,
      UNAVAILABLE,
      false,
    ],
    ['a refusal after an answer began', raw(UNAVAILABLE, 'Stream refused by server'), true, UNAVAILABLE, false],
    ['a code outside the table', raw(77, 'odd'), false, UNKNOWN, false],
  ])('%s', (_name, status, answered, code, notProcessed) => {
    expect(callEnd(status, answered)).toMatchObject({ status: { code }, notProcessed });
  });
});
