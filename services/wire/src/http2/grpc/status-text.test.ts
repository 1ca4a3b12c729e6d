import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeStatusMessage, encodeStatusMessage } from './status-text.js';

/** UTF-16 units, halves of surrogate pairs included. */
const anyUnit = fc.oneof(
  fc.integer({ min: 0, max: 0x7f }),
  fc.integer({ min: 0x80, max: 0xffff }),
  fc.integer({ min: 0xd800, max: 0xdfff }),
);
const anyText = fc.string({ unit: 'grapheme', maxLength: 60 });

describe('encodeStatusMessage', () => {
  it.each([
    ['leaves printable ASCII as it is', 'no model "a/b" (#1); try ~c', 'no model "a/b" (#1); try ~c'],
    ['leaves nothing as nothing', '', ''],
    ['encodes the percent sign', '100% 1%2', '100%25 1%252'],
    ['encodes control characters', 'a\r\n\tb\u0000\u007f', 'a%0D%0A%09b%00%7F'],
    ['encodes UTF-8 by bytes', 'für 数 🙂', 'f%C3%BCr %E6%95%B0 %F0%9F%99%82'],
    ['encodes space at the ends, which HTTP/2 forbids there', ' a b ', '%20a b%20'],
    ['replaces half a surrogate pair', 'a\ud800b', 'a%EF%BF%BDb'],
    ['cuts what is longer than 1,024 characters', 'x'.repeat(1_025), `${'x'.repeat(1_021)}...`],
    ['keeps 1,024 characters', 'x'.repeat(1_024), 'x'.repeat(1_024)],
  ])('%s', (_name, text, encoded) => {
    expect(encodeStatusMessage(text)).toBe(encoded);
  });

  it('makes a field value that HTTP/2 and gRPC allow, of any text', () => {
    fc.assert(
      fc.property(fc.array(anyUnit, { maxLength: 30 }), fc.constantFrom(1, 60), (units, times) => {
        const text = String.fromCharCode(...units).repeat(times);
        expect(encodeStatusMessage(text)).toMatch(/^(?! )(?:[ -$&-~]|%[0-9A-F]{2})*(?<! )$/);
      }),
    );
  });

  it('is understood by grpc-js, which decodes with decodeURI', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(decodeURI(encodeStatusMessage(text))).toBe(text);
      }),
    );
  });
});

describe('decodeStatusMessage', () => {
  it.each([
    ['leaves plain text as it is', 'no model "a/b"', 'no model "a/b"'],
    ['decodes reserved characters too', 'a%2Fb%3f%23', 'a/b?#'],
    ['keeps a percent sign at the end', '100%', '100%'],
    ['keeps a percent sign with one digit', 'a%4', 'a%4'],
    ['keeps a percent sign without hexadecimal digits', '%zz%4g%25', '%zz%4g%'],
    ['replaces bytes that are no UTF-8', 'a%FFb%C3', 'a\ufffdb\ufffd'],
    ['understands UTF-8 that was not encoded', Buffer.from('für 数', 'utf8').toString('latin1'), 'für 数'],
  ])('%s', (_name, value, text) => {
    expect(decodeStatusMessage(value)).toBe(text);
  });

  it('gives back what was encoded, by us or by grpc-js with encodeURI', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(decodeStatusMessage(encodeStatusMessage(text))).toBe(text);
        expect(decodeStatusMessage(encodeURI(text))).toBe(text);
      }),
    );
  });

  it('takes any bytes, and loses no plain character of them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = decodeStatusMessage(Buffer.from(bytes).toString('latin1'));
        const letters = (of: string): number => of.match(/[g-z]/g)?.length ?? 0;
        expect(letters(text)).toBeGreaterThanOrEqual(letters(Buffer.from(bytes).toString('latin1')));
      }),
    );
  });
});
