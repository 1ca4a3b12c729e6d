import grpc from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromGrpc, toGrpc } from '../../grpc-js/metadata.js';
import { Metadata } from '../../metadata.js';
import { appendMetadata, metadataOf } from './metadata-fields.js';

// It logs each entry that it drops.
grpc.setLogVerbosity(grpc.logVerbosity.NONE);

type Entries = readonly (readonly [string, readonly (string | Buffer)[]])[];

function entriesOf(metadata: Metadata): Entries {
  return [...metadata.entries()];
}

function fieldsOf(metadata: Metadata): string[] {
  const fields: string[] = [];
  appendMetadata(metadata, fields);
  return fields;
}

describe('metadataOf', () => {
  it.each<readonly [string, readonly string[], Entries]>([
    [
      'text',
      ['x-a', 'one', 'x.b_c-1', ''],
      [
        ['x-a', ['one']],
        ['x.b_c-1', ['']],
      ],
    ],
    [
      'a repeated field as several values, commas as part of one',
      ['x-a', '1', 'x-b', '2', 'x-a', '3, 4'],
      [
        ['x-a', ['1', '3, 4']],
        ['x-b', ['2']],
      ],
    ],
    ['text without the space around it', ['x-a', ' a b '], [['x-a', ['a b']]]],
    ['bytes with padding', ['x-bin', 'AQ=='], [['x-bin', [Buffer.from([1])]]]],
    ['bytes without padding', ['x-bin', 'AQ'], [['x-bin', [Buffer.from([1])]]]],
    ['bytes in base64 for URLs', ['x-bin', '-_8'], [['x-bin', [Buffer.from([0xfb, 0xff])]]]],
    ['no bytes', ['x-bin', ''], [['x-bin', [Buffer.alloc(0)]]]],
    ['joined bytes', ['x-bin', 'AQ,Ag==, Aw'], [['x-bin', [Buffer.from([1]), Buffer.from([2]), Buffer.from([3])]]]],
    [
      "gRPC's own bytes, which are never joined",
      ['grpc-status-details-bin', 'AQ,ID'],
      [['grpc-status-details-bin', [Buffer.from([1, 2, 3])]]],
    ],
    ['the client by name', ['user-agent', 'grpc-go/1.70.0'], [['user-agent', ['grpc-go/1.70.0']]]],
    ["gRPC's fields that are not the transport's", ['grpc-retry-pushback-ms', '5'], [['grpc-retry-pushback-ms', ['5']]]],
  ])('reads %s', (_name, fields, entries) => {
    expect(entriesOf(metadataOf(fields))).toEqual(entries);
  });

  it.each([
    ['pseudo-header fields', [':path', '/a/b', ':status', '200']],
    ['the transport', ['te', 'trailers', 'content-type', 'application/grpc', 'content-length', '5', 'date', 'now']],
    ['the protocol', ['grpc-timeout', '1S', 'grpc-encoding', 'gzip', 'grpc-accept-encoding', 'gzip', 'accept-encoding', 'gzip']],
    ['the status', ['grpc-status', '0', 'grpc-message', 'no']],
    ["keys outside gRPC's alphabet", ['x y', '1', 'x!', '2', 'X-A', '3', '', '4', 'x-ü', '5']],
    ['text that is not printable ASCII', ['x-a', 'ü', 'x-b', 'a\u0000b', 'x-c', 'a\tb', 'x-d', '\u007f']],
  ])('leaves out %s', (_name, fields) => {
    expect(entriesOf(metadataOf(fields))).toEqual([]);
  });

  it('leaves out one value, not its neighbours of the same key', () => {
    expect(entriesOf(metadataOf(['x-a', 'ü', 'x-a', 'u']))).toEqual([['x-a', ['u']]]);
  });

  const names = fc.oneof(
    fc.constantFrom('x-a', 'x-b-bin', 'grpc-status-details-bin', 'grpc-timeout', 'te', 'date', ':path', 'user-agent', 'x y', 'x-c,d'),
    fc.string({ minLength: 1, maxLength: 8 }).map((name) => name.toLowerCase()),
  );
  // HTTP/2 in Node drops fields with space around their value before grpc-js sees them.
  const values = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.base64String({ maxLength: 20 }),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  );

  it('shows what grpc-js shows of any field that occurs once', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          fc.tuple(
            names,
            values.map((value) => value.trim()),
          ),
          { selector: ([name]) => name, maxLength: 8 },
        ),
        (pairs) => {
          // A prototype's name is no key to grpc-js's objects.
          const fields = pairs.filter(([name]) => name !== '__proto__');
          const theirs = fromGrpc(grpc.Metadata.fromHttp2Headers(Object.fromEntries(fields)));
          const ours = metadataOf(fields.flat());
          // JavaScript's objects put keys that are numbers first.
          expect(new Map(entriesOf(ours))).toEqual(new Map(entriesOf(theirs)));
        },
      ),
    );
  });

  it('takes any list of any texts', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(names, values), { maxLength: 9 }), (fields) => {
        for (const [key, all] of metadataOf(fields).entries()) {
          for (const value of all) expect(typeof value === 'string').toBe(!key.endsWith('-bin'));
        }
      }),
    );
  });
});

describe('appendMetadata', () => {
  it('writes values as repeated fields, bytes as base64 without padding', () => {
    const metadata = Metadata.of({ 'X-A': 'one', 'x-bin': Buffer.from([1]) });
    metadata.append('x-a', 'two');
    metadata.append('x-bin', Buffer.from([1, 2, 3]));
    expect(fieldsOf(metadata)).toEqual(['x-a', 'one', 'x-a', 'two', 'x-bin', 'AQ', 'x-bin', 'AQID']);
  });

  it('adds behind what is there', () => {
    const fields = [':status', '200'];
    appendMetadata(Metadata.of({ 'x-a': '1' }), fields);
    expect(fields).toEqual([':status', '200', 'x-a', '1']);
  });

  it('replaces what a field value cannot carry, and takes the space away around it', () => {
    expect(fieldsOf(Metadata.of({ 'x-a': 'line\nbreak ü', 'x-b': '  a b ' }))).toEqual(['x-a', 'line?break ?', 'x-b', 'a b']);
  });

  it.each(['te', 'content-type', 'grpc-status', 'grpc-timeout', 'grpc-encoding', 'user-agent', 'host', 'connection', 'transfer-encoding'])(
    'leaves out %s, which is not the caller’s to set',
    (key) => {
      expect(fieldsOf(Metadata.of({ [key]: '1', 'x-a': '1' }))).toEqual(['x-a', '1']);
    },
  );

  const sound = fc.array(
    fc.oneof(
      fc.tuple(
        fc.constantFrom('x-a', 'x-b', 'traceparent'),
        fc.string({ maxLength: 20 }).map((text) => text.trim()),
      ),
      fc.tuple(
        fc.constantFrom('x-a-bin', 'grpc-status-details-bin'),
        fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      ),
    ),
    { maxLength: 10 },
  );

  it('writes what metadataOf reads back', () => {
    fc.assert(
      fc.property(sound, (pairs) => {
        const metadata = new Metadata();
        for (const [key, value] of pairs) metadata.append(key, value);
        expect(entriesOf(metadataOf(fieldsOf(metadata)))).toEqual(entriesOf(metadata));
      }),
    );
  });

  it('writes what grpc-js writes, but for the padding', () => {
    fc.assert(
      fc.property(sound, fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 }), (pairs, odd) => {
        const metadata = Metadata.of({ 'x-odd': `<${String.fromCharCode(...odd)}>` });
        for (const [key, value] of pairs) metadata.append(key, value);
        const theirs = Object.entries(toGrpc(metadata).toHttp2Headers()).flatMap(([key, all]) =>
          [all ?? ''].flat().flatMap((value) => [key, key.endsWith('-bin') ? String(value).replace(/=+$/, '') : String(value)]),
        );
        expect(fieldsOf(metadata)).toEqual(theirs);
      }),
    );
  });
});
