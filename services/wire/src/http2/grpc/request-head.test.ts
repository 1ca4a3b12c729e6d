import { statusCode } from '@headrace/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HeadProblem, RequestHead } from './request-head.js';
import { RequestHeads, readRequestHead, requestTrailersProblem } from './request-head.js';

const pseudo = [':method', 'POST', ':scheme', 'http', ':path', '/p.S/M', ':authority', 'h:1'];
const ordinary = ['content-type', 'application/grpc', 'te', 'trailers'];

function without(name: string, fields = [...pseudo, ...ordinary]): string[] {
  const at = fields.indexOf(name);
  return [...fields.slice(0, at), ...fields.slice(at + 2)];
}

function changed(name: string, value: string): string[] {
  const fields = [...pseudo, ...ordinary];
  fields[fields.indexOf(name) + 1] = value;
  return fields;
}

function plus(...more: string[]): string[] {
  return [...pseudo, ...ordinary, ...more];
}

/** A request for `method` without anything of gRPC. */
function plain(method: string, path = '/'): string[] {
  return [':method', method, ':scheme', 'https', ':path', path, ':authority', 'h'];
}

describe('readRequestHead', () => {
  it.each<readonly [string, readonly string[], Partial<RequestHead>]>([
    [
      'the least a client sends',
      plus(),
      { path: '/p.S/M', authority: 'h:1', timeoutMs: undefined, encoding: 'identity', acceptsGzip: false, contentLength: -1 },
    ],
    ['no te, which nothing depends on', without('te'), { path: '/p.S/M' }],
    [
      'another order of pseudo-header fields',
      [':path', '/a', ':authority', 'x', ':scheme', 'https', ':method', 'POST', ...ordinary],
      { path: '/a', authority: 'x' },
    ],
    ['no authority', without(':authority'), { authority: '' }],
    ['host instead of the authority', [...without(':authority'), 'host', 'x:2'], { authority: 'x:2' }],
    ['host beside the authority', plus('host', 'x:2'), { authority: 'h:1' }],
    ['a content subtype', changed('content-type', 'application/grpc+proto; a=b'), { path: '/p.S/M' }],
    ['a timeout', plus('grpc-timeout', '1500u'), { timeoutMs: 1.5 }],
    ['messages in gzip', plus('grpc-encoding', 'gzip'), { encoding: 'gzip', acceptsGzip: false }],
    ['messages in identity', plus('grpc-encoding', 'identity'), { encoding: 'identity' }],
    ['gzip among the encodings for replies', plus('grpc-accept-encoding', 'identity, deflate, gzip'), { acceptsGzip: true }],
    ['encodings for replies in two fields', plus('grpc-accept-encoding', 'gzip', 'grpc-accept-encoding', 'br'), { acceptsGzip: true }],
    ['a length', plus('content-length', '1234'), { contentLength: 1234 }],
    ['the same length twice', plus('content-length', '7', 'content-length', '7'), { contentLength: 7 }],
    ['metadata of any characters that HTTP/2 allows', plus("x!#$%&'*+^`|~", 'ü \t'), { path: '/p.S/M' }],
  ])('reads %s', (_name, fields, head) => {
    expect(readRequestHead(fields)).toMatchObject({ kind: 'request', ...head });
  });

  it.each([
    ['no method', without(':method'), ':method is missing'],
    ['an empty method', changed(':method', ''), ':method'],
    ['no scheme', without(':scheme'), ':scheme is missing'],
    ['an empty scheme', changed(':scheme', ''), ':scheme'],
    ['no path', without(':path'), ':path is missing'],
    ['an empty path', changed(':path', ''), ':path: expected "/" in front, got ""'],
    ['a path without slash', changed(':path', 'p.S/M'), ':path: expected "/" in front, got "p.S/M"'],
    ['the path of OPTIONS', changed(':path', '*'), ':path'],
    ['a line break in the path', changed(':path', '/a\nb'), ':path'],
    ['two methods', [':method', 'POST', ...plus()], ':method twice'],
    ['two schemes', [':scheme', 'http', ...plus()], ':scheme twice'],
    ['two paths', [':path', '/p.S/M', ...plus()], ':path twice'],
    ['two authorities', [':authority', 'h:1', ...plus()], ':authority twice'],
    ['an unknown pseudo-header field', [':protocol', 'websocket', ...plus()], '":protocol" is no pseudo-header field'],
    ['a pseudo-header field of responses', [':status', '200', ...plus()], '":status" is no pseudo-header field'],
    ['a pseudo-header field after others', ['x-a', '1', ...plus()], '":method" after ordinary fields'],
    ['a name in capitals', plus('X-A', '1'), 'field name "X-A"'],
    ['an empty name', plus('', '1'), 'field name ""'],
    ['a name with a space', plus('x a', '1'), 'field name "x a"'],
    ['a name with a colon', plus('x:a', '1'), 'field name "x:a"'],
    ['a name beyond ASCII', plus('x-ü', '1'), 'field name "x-ü"'],
    ['a NUL in a value', plus('x-a', '1\u0000'), 'field x-a'],
    ['a CR in a value', plus('x-a', '\r1'), 'field x-a'],
    ['a LF in a value', plus('x-a', '1\n2'), 'field x-a'],
    ['a NUL at the end of a long value', plus('x-a', `${'1'.repeat(40)}\u0000`), 'field x-a'],
    ['a CR in a long value', plus('x-a', `\r${'1'.repeat(40)}`), 'field x-a'],
    ['a LF in a long value', plus('x-a', `1\n${'1'.repeat(40)}`), 'field x-a'],
    ['connection', plus('connection', 'close'), 'field connection'],
    ['keep-alive', plus('keep-alive', '1'), 'field keep-alive'],
    ['proxy-connection', plus('proxy-connection', '1'), 'field proxy-connection'],
    ['transfer-encoding', plus('transfer-encoding', 'chunked'), 'field transfer-encoding'],
    ['upgrade', plus('upgrade', 'h2c'), 'field upgrade'],
    ['te with something else', changed('te', 'trailers, deflate'), 'te: expected "trailers", got "trailers, deflate"'],
    ['a length that is none', plus('content-length', '1e3'), 'content-length'],
    ['a negative length', plus('content-length', '-1'), 'content-length'],
    ['two lengths', plus('content-length', '1', 'content-length', '2'), 'content-length'],
    ['CONNECT with a path', plain('CONNECT'), 'CONNECT'],
    ['CONNECT without authority', [':method', 'CONNECT'], 'CONNECT'],
    ['a name of great length, shown in part', plus('A'.repeat(5_000), '1'), '...'],
    ['nothing', [], ':method is missing'],
  ])('calls %s malformed', (_name, fields, text) => {
    const problem = readRequestHead(fields);
    expect(problem).toEqual({ kind: 'malformed', text: expect.stringContaining(text) as string });
    expect(problem.kind === 'malformed' && problem.text.length).toBeLessThan(200);
  });

  it.each<readonly [string, readonly string[], Partial<Extract<HeadProblem, { kind: 'http' }>>]>([
    ['a GET', plain('GET'), { httpStatus: 405, contentLength: -1 }],
    ['a GET of gRPC', changed(':method', 'GET'), { httpStatus: 405 }],
    ['OPTIONS for the whole server', plain('OPTIONS', '*'), { httpStatus: 405 }],
    ['CONNECT', [':method', 'CONNECT', ':authority', 'h:1'], { httpStatus: 405 }],
    [
      'a POST of something else',
      [...plain('POST'), 'content-type', 'text/html', 'content-length', '3'],
      { httpStatus: 415, contentLength: 3 },
    ],
    ['a POST without content-type', plain('POST'), { httpStatus: 415 }],
    ['gRPC-Web', changed('content-type', 'application/grpc-web'), { httpStatus: 415 }],
    ['something else, whatever its timeout', [...changed('content-type', 'a/b'), 'grpc-timeout', 'x'], { httpStatus: 415 }],
  ])('answers %s in HTTP', (_name, fields, problem) => {
    expect(readRequestHead(fields)).toMatchObject({ kind: 'http', ...problem });
  });

  it('finds what is malformed in requests that are not gRPC, too', () => {
    expect(readRequestHead([...plain('GET'), 'connection', 'close'])).toMatchObject({ kind: 'malformed' });
    expect(readRequestHead(plain('GET', ''))).toMatchObject({ kind: 'malformed' });
  });

  it('answers a timeout that it cannot read in gRPC', () => {
    expect(readRequestHead(plus('grpc-timeout', '5s'))).toEqual({
      kind: 'status',
      code: statusCode.INTERNAL,
      message: 'grpc-timeout: expected 1 to 8 digits and one of H M S m u n, got "5s"',
      acceptEncoding: undefined,
      contentLength: -1,
    });
  });

  it('answers an encoding that it does not know in gRPC, and says which it knows', () => {
    expect(readRequestHead(plus('grpc-encoding', 'snappy'))).toEqual({
      kind: 'status',
      code: statusCode.UNIMPLEMENTED,
      message: 'grpc-encoding: expected one of identity,gzip, got "snappy"',
      acceptEncoding: 'identity,gzip',
      contentLength: -1,
    });
  });

  it('takes any list of any texts, and lets through only what keeps its promises', () => {
    const text = fc.oneof(
      fc.constantFrom(...plus('grpc-timeout', '1S', 'X', 'connection', 'content-length', '5', 'GET', 'a\nb', ':status')),
      fc.string({ maxLength: 6 }),
    );
    const near = fc.tuple(fc.nat(20), fc.nat(2), fc.array(text, { maxLength: 4 })).map(([at, count, more]) => {
      const fields = plus();
      fields.splice(at, count, ...more);
      return fields;
    });
    fc.assert(
      fc.property(fc.oneof(fc.array(text, { maxLength: 24 }), near), (fields) => {
        const head = readRequestHead(fields);
        if (head.kind !== 'request') return;
        const names = fields.filter((_, at) => at % 2 === 0);
        expect(head.path.startsWith('/')).toBe(true);
        expect(names.filter((name) => name === ':path' || name === ':method' || name === ':scheme').length).toBe(3);
        expect(names.some((name) => /[A-Z]/.test(name) || name === 'connection' || name === ':status')).toBe(false);
        expect(head.timeoutMs ?? 0).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });
});

describe('RequestHeads', () => {
  it('gives the same head for the same list, and for another list its own', () => {
    const heads = new RequestHeads();
    const fields = plus();
    const first = heads.read(fields);
    expect(heads.read(fields)).toBe(first);
    expect(first.kind === 'request' && first.metadata.get()).toBe(first.kind === 'request' && first.metadata.get());
    expect(() => first.kind === 'request' && first.metadata.get().set('x', 'y')).toThrow('shared');
    expect(heads.read(changed(':path', '/other'))).toMatchObject({ path: '/other' });
    expect(heads.read(fields)).toMatchObject({ path: '/p.S/M' });
    expect(heads.read([])).toMatchObject({ kind: 'malformed' });
  });
});

describe('requestTrailersProblem', () => {
  it.each([
    ['nothing', [], undefined],
    ['ordinary fields', ['x-a', '1'], undefined],
    ['a pseudo-header field', ['x-a', '1', ':path', '/'], '":path" in trailers'],
    ['a name in capitals', ['X-A', '1'], 'field name "X-A"'],
    ['a connection field', ['connection', 'close'], 'field connection'],
  ])('of %s', (_name, fields, text) => {
    const problem = requestTrailersProblem(fields);
    const told = problem?.kind === 'malformed' ? problem.text : (problem?.kind ?? 'no problem');
    expect(told).toContain(text ?? 'no problem');
  });
});
