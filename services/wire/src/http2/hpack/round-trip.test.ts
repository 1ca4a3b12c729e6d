import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HpackDecoder } from './decoder.js';
import { HpackEncoder } from './encoder.js';

const name = fc.oneof(
  fc.constantFrom(
    ':path',
    ':authority',
    ':status',
    'te',
    'authorization',
    'grpc-timeout',
    'grpc-status',
    'x-trace-bin',
    'user-agent',
    'x',
    'y',
  ),
  fc.string({ minLength: 1, maxLength: 20 }).map((text) => text.toLowerCase()),
);
const octets = fc.uint8Array({ maxLength: 40, size: 'max' }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const value = fc.oneof(
  fc.constantFrom('', '/', '200', 'trailers', '0', 'a', 'b', 'c'),
  octets,
  fc.integer({ min: 0, max: 2000 }).map((length) => 'v'.repeat(length)),
);
const fieldList = fc.array(fc.tuple(name, value), { maxLength: 12, size: 'max' }).map((pairs) => pairs.flat());

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ fields: fieldList }) },
  // A list given before is given again, as the same array.
  { weight: 8, arbitrary: fc.record({ again: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ tableBytes: fc.constantFrom(0, 32, 64, 100, 500, 4096, 65_536) }) },
  { weight: 1, arbitrary: fc.record({ unsendable: fieldList }) },
);

describe('encoder to decoder', { timeout: 30_000 }, () => {
  it.each([4096, 0, 200, 65_536])('carries any lists through any changes of the table, of %i octets at most', (maxTableBytes) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const encoder = new HpackEncoder({ maxTableBytes });
        const decoder = new HpackDecoder({ maxTableBytes: 65_536, maxListBytes: 10_000_000, maxFields: 10_000 });
        const given: string[][] = [];
        for (const each of steps) {
          if ('tableBytes' in each) encoder.setPeerTableBytes(each.tableBytes);
          else if ('unsendable' in each) refuses(encoder, [...each.unsendable, 'bad', '\u0141']);
          else {
            const fields = 'fields' in each ? each.fields : given[each.again % Math.max(1, given.length)];
            if (fields === undefined) continue;
            given.push(fields);
            survives(encoder, decoder, fields);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

function refuses(encoder: HpackEncoder, fields: readonly string[]): void {
  expect(() => encoder.encode(fields)).toThrow(TypeError);
}

function survives(encoder: HpackEncoder, decoder: HpackDecoder, fields: readonly string[]): void {
  const before = [...fields];
  const block = encoder.encode(fields);
  expect(decoder.decode(block, 0, block.length)).toMatchObject({ fields: before, tooLarge: false });
  expect(fields).toEqual(before);
}
