import fc from 'fast-check';
import { expect, it } from 'vitest';
import { formatTraceparent, parseTraceparent } from './traceparent.js';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';

it.each([
  ['sampled', `00-${traceId}-${spanId}-01`, { traceId, spanId, sampled: true }],
  ['not sampled', `00-${traceId}-${spanId}-00`, { traceId, spanId, sampled: false }],
  ['other flags', `00-${traceId}-${spanId}-03`, { traceId, spanId, sampled: true }],
  ['a later version with more behind it', `01-${traceId}-${spanId}-01-what`, { traceId, spanId, sampled: true }],
  ['version 00 with more behind it', `00-${traceId}-${spanId}-01-what`, undefined],
  ['version ff', `ff-${traceId}-${spanId}-01`, undefined],
  ['upper case', `00-${traceId.toUpperCase()}-${spanId}-01`, undefined],
  ['a trace of zeros', `00-${'0'.repeat(32)}-${spanId}-01`, undefined],
  ['a span of zeros', `00-${traceId}-${'0'.repeat(16)}-01`, undefined],
  ['too short', `00-${traceId}-${spanId}`, undefined],
  ['nothing', undefined, undefined],
])('parses %s', (_name, header, expected) => {
  expect(parseTraceparent(header)).toEqual(expected);
});

it('formats what it parses', () => {
  const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`)).filter((text) => !/^0+$/.test(text));
  fc.assert(
    fc.property(fc.record({ traceId: hex(32), spanId: hex(16), sampled: fc.boolean() }), (parent) => {
      expect(parseTraceparent(formatTraceparent(parent))).toEqual(parent);
    }),
  );
});
