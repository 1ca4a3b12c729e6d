import { statusCode } from '@headrace/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readResponseHead, readTrailers } from './response-head.js';

const head = [':status', '200', 'content-type', 'application/grpc+proto'];
const { OK, UNKNOWN, UNAVAILABLE, NOT_FOUND, INTERNAL, UNIMPLEMENTED } = statusCode;

describe('readResponseHead, messages to come', () => {
  it.each([
    ['the least a server sends', head, { httpStatus: 200, encoding: 'identity', acceptsGzip: false }],
    ['messages in gzip', [...head, 'grpc-encoding', 'gzip'], { encoding: 'gzip' }],
    [
      'what grpc-js sends',
      [...head, 'grpc-accept-encoding', 'identity,deflate,gzip', 'grpc-encoding', 'identity'],
      { encoding: 'identity', acceptsGzip: true },
    ],
    [
      'gRPC under another HTTP status, which trailers may explain',
      [':status', '503', 'content-type', 'application/grpc'],
      { httpStatus: 503 },
    ],
  ])('reads %s', (_name, fields, expected) => {
    expect(readResponseHead(fields, false)).toEqual({
      kind: 'headers',
      httpStatus: 200,
      encoding: 'identity',
      acceptsGzip: false,
      fields,
      ...expected,
    });
  });

  it.each([
    ['a web page', [':status', '200', 'content-type', 'text/html'], UNKNOWN, 'got HTTP status 200 with content-type "text/html"'],
    ["a proxy's error", [':status', '503', 'content-type', 'text/plain'], UNAVAILABLE, '503'],
    ['an error without content-type', [':status', '404'], UNIMPLEMENTED, 'HTTP status 404 with no content-type'],
    [
      'an encoding that was not offered',
      [...head, 'grpc-encoding', 'br'],
      INTERNAL,
      'grpc-encoding: expected one of identity,gzip, got "br"',
    ],
  ])('fails the call on %s', (_name, fields, code, text) => {
    expect(readResponseHead(fields, false)).toEqual({ kind: 'failed', code, message: expect.stringContaining(text) as string, fields });
  });

  it('waits on after an interim response', () => {
    expect(readResponseHead([':status', '100'], false)).toEqual({ kind: 'interim' });
    expect(readResponseHead([':status', '103', 'link', 'x'], false)).toEqual({ kind: 'interim' });
  });

  it.each([
    ['no status', ['content-type', 'application/grpc'], ':status is missing'],
    ['two statuses', [':status', '200', ...head], ':status twice'],
    ['a status of letters', [':status', 'ok'], ':status: expected three digits, got "ok"'],
    ['a status beyond the table', [':status', '600'], ':status'],
    ['a status after other fields', ['x-a', '1', ...head], 'after ordinary fields'],
    ['a pseudo-header field of requests', [...head.slice(0, 2), ':path', '/'], '":path" is no pseudo-header field'],
    ['a name in capitals', [...head, 'X-A', '1'], 'field name'],
    ['a connection field', [...head, 'connection', 'close'], 'field connection'],
    ['a line break in a value', [...head, 'x-a', 'a\nb'], 'field x-a'],
    ['a change of protocols', [':status', '101'], ':status 101'],
  ])('calls %s malformed', (_name, fields, text) => {
    expect(readResponseHead(fields, false)).toEqual({ kind: 'malformed', text: expect.stringContaining(text) as string });
  });
});

describe('readResponseHead, trailers-only', () => {
  it.each([
    ['a failure', [...head, 'grpc-status', '5', 'grpc-message', 'no%20model'], NOT_FOUND, 'no model'],
    ['a failure without text', [...head, 'grpc-status', '5'], NOT_FOUND, ''],
    ['success without messages', [...head, 'grpc-status', '0'], OK, ''],
    ['a status under another HTTP status: it counts', [':status', '503', 'grpc-status', '5'], NOT_FOUND, ''],
    ['no status under HTTP 200', head, UNKNOWN, 'the server ended the call without grpc-status (HTTP status 200)'],
    ["a proxy's error", [':status', '502'], UNAVAILABLE, 'the server ended the call without grpc-status (HTTP status 502)'],
    ['our own answer to what is not gRPC', [':status', '415'], UNKNOWN, 'the server ended the call without grpc-status (HTTP status 415)'],
  ])('reads %s', (_name, fields, code, message) => {
    expect(readResponseHead(fields, true)).toEqual({ kind: 'end', code, message, fields });
  });

  it('calls an interim response that ends the stream malformed', () => {
    expect(readResponseHead([':status', '100'], true)).toMatchObject({ kind: 'malformed' });
  });
});

describe('readTrailers', () => {
  it.each([
    ['success', ['grpc-status', '0'], OK, ''],
    ['success with text', ['grpc-status', '0', 'grpc-message', 'fine'], OK, 'fine'],
    ['a failure', ['grpc-message', 'a%0Ab', 'grpc-status', '14'], UNAVAILABLE, 'a\nb'],
    ['a broken encoding of the text', ['grpc-status', '5', 'grpc-message', '100%'], NOT_FOUND, '100%'],
    ['the first of two statuses', ['grpc-status', '5', 'grpc-status', '0'], NOT_FOUND, ''],
    ['no status', ['x-a', '1'], UNKNOWN, 'the server ended the call without grpc-status (HTTP status 200)'],
    ['a code beyond the table, with its text', ['grpc-status', '17', 'grpc-message', 'new'], UNKNOWN, 'new'],
    ['garbage', ['grpc-status', 'abc'], UNKNOWN, 'grpc-status: expected a code from 0 to 16, got "abc"'],
    ['an empty status, which is not success', ['grpc-status', ''], UNKNOWN, 'grpc-status: expected a code from 0 to 16, got ""'],
    ['a status with a sign', ['grpc-status', '-0'], UNKNOWN, 'grpc-status: expected a code from 0 to 16, got "-0"'],
    ['a hexadecimal status', ['grpc-status', '0x0'], UNKNOWN, 'grpc-status: expected a code from 0 to 16, got "0x0"'],
  ])('reads %s', (_name, fields, code, message) => {
    expect(readTrailers(fields)).toEqual({ kind: 'end', code, message, fields });
  });

  it('falls back on the HTTP status of the response', () => {
    expect(readTrailers([], 503)).toMatchObject({ code: UNAVAILABLE });
    expect(readTrailers(['grpc-status', '5'], 503)).toMatchObject({ code: NOT_FOUND });
  });

  it.each([
    ['a pseudo-header field', [':status', '200', 'grpc-status', '0']],
    ['a name in capitals', ['Grpc-Status', '0']],
    ['a connection field', ['grpc-status', '0', 'upgrade', 'x']],
  ])('calls %s malformed', (_name, fields) => {
    expect(readTrailers(fields)).toMatchObject({ kind: 'malformed' });
  });

  it('takes any list of any texts, and never makes success of them without "0"', () => {
    const text = fc.oneof(
      fc.constantFrom(':status', '200', '404', 'grpc-status', 'grpc-message', '0', '5', ' 0', '%ff', 'content-type', 'application/grpc'),
      fc.string({ maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(text, { maxLength: 10 }), fc.boolean(), (fields, endStream) => {
        const first = fields.findIndex((name, at) => at % 2 === 0 && name === 'grpc-status');
        for (const read of [readTrailers(fields), readResponseHead(fields, endStream)]) {
          expect(read.kind !== 'end' || read.code !== OK || fields[first + 1] === '0').toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
