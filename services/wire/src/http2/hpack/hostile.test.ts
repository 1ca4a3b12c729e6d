import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HpackDecoder } from './decoder.js';
import { HpackEncoder } from './encoder.js';
import { HpackError } from './errors.js';
import { fieldBytes } from './header-fields.js';

const limits = { maxTableBytes: 4096, maxListBytes: 16_384, maxFields: 128 };

interface CorpusEntry {
  readonly why: string;
  /** Blocks of one connection, in order. */
  readonly blocks: readonly string[];
  /** Of the last block: how many fields, `too large`, or the error. */
  readonly outcome: string;
}

const corpus = JSON.parse(readFileSync(new URL('corpus.json', import.meta.url), 'utf8')) as readonly CorpusEntry[];

/** Octets that mean something to a decoder come more often than by chance. */
const octet = fc.oneof(
  fc.nat(255),
  fc.constantFrom(0x00, 0x0f, 0x10, 0x1f, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0x82, 0xbe, 0xbf, 0xff),
  fc.integer({ min: 0x81, max: 0x9f }),
);
const noise = fc.array(octet, { maxLength: 120, size: 'max' }).map((octets) => Buffer.from(octets));

const text = fc.string({ maxLength: 30 });
const mutation = fc.record({ at: fc.nat(400), to: octet, kind: fc.constantFrom('set', 'insert', 'delete', 'cut', 'repeat') });
const mutated = fc
  .tuple(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 8, size: 'max' }), fc.array(mutation, { minLength: 1, maxLength: 4 }))
  .map(([fields, mutations]) => mutations.reduce(mutate, Buffer.from(new HpackEncoder().encode(fields.flat()))));

describe('HpackDecoder and hostile bytes', { timeout: 30_000 }, () => {
  it.each([
    { name: 'noise', blocks: noise },
    { name: 'valid blocks with a few octets changed', blocks: mutated },
  ])('answers $name with fields within the limits or with HpackError, whatever came before', ({ blocks }) => {
    fc.assert(
      fc.property(fc.array(blocks, { minLength: 1, maxLength: 6, size: 'max' }), (each) => {
        const decoder = new HpackDecoder(limits);
        for (const block of each) if (outcomeOf(decoder, block).startsWith('HpackError')) return;
      }),
      { numRuns: 1000 },
    );
  });

  it('gives the same answers with and without recent blocks', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            noise,
            fc.constantFrom('4001610162', '838682', 'be', 'bfbe').map((hex) => Buffer.from(hex, 'hex')),
          ),
        ),
        (blocks) => {
          const [warm, cold] = [new HpackDecoder(limits), new HpackDecoder(limits)];
          for (const block of blocks) {
            const outcome = outcomeOf(warm, block);
            expect(outcomeOf(cold, block)).toBe(outcome);
            if (outcome.startsWith('HpackError')) return;
            // A block of indexes alone changes nothing: the second time it comes from the recent ones.
            const again = block.every((each) => each >= 0x80) ? outcomeOf(warm, block) : outcome;
            expect(again).toBe(outcome);
          }
        },
      ),
    );
  });

  it.each(corpus)('still knows: $why', ({ blocks, outcome }) => {
    const decoder = new HpackDecoder(limits);
    const outcomes = blocks.map((hex) => outcomeOf(decoder, Buffer.from(hex, 'hex')));
    expect(outcomes.at(-1)).toBe(outcome);
  });

  it('keeps no more than its table after thousands of large blocks', () => {
    const decoder = new HpackDecoder(limits);
    const encoder = new HpackEncoder();
    for (let each = 0; each < 2000; each += 1) {
      const block = encoder.encode([`x-${each}`, 'a'.repeat(200), 'y', `${each}`]);
      decoder.decode(block, 0, block.length);
    }
    // Whatever index is asked for: what still answers weighs no more than the table may.
    let bytes = 0;
    for (let index = 62; ; index += 1) {
      const asked = index < 127 ? Buffer.from([0x80 | index]) : Buffer.from([0xff, index - 127]);
      const [name, value] = fieldsOrNothing(decoder, asked);
      if (name === undefined || value === undefined) break;
      bytes += fieldBytes(name, value);
    }
    expect(bytes).toBeGreaterThan(limits.maxTableBytes - 300);
    expect(bytes).toBeLessThanOrEqual(limits.maxTableBytes);
  });
});

function fieldsOrNothing(decoder: HpackDecoder, block: Buffer): readonly string[] {
  try {
    return decoder.decode(block, 0, block.length).fields;
  } catch {
    return [];
  }
}

/** Anything but HpackError passes on, and fails the test. */
function outcomeOf(decoder: HpackDecoder, block: Buffer): string {
  try {
    const { fields, tooLarge } = decoder.decode(block, 0, block.length);
    let bytes = 0;
    for (let each = 0; each < fields.length; each += 2) bytes += fieldBytes(fields[each] ?? '', fields[each + 1] ?? '');
    expect(fields.length % 2).toBe(0);
    expect(bytes).toBeLessThanOrEqual(limits.maxListBytes);
    expect(fields.length).toBeLessThanOrEqual(2 * limits.maxFields);
    return tooLarge ? 'too large' : `${fields.length / 2} fields`;
  } catch (error) {
    if (!(error instanceof HpackError)) throw error;
    return `HpackError: ${error.message}`;
  }
}

function mutate(block: Buffer, { at, to, kind }: { readonly at: number; readonly to: number; readonly kind: string }): Buffer {
  const place = at % (block.length + 1);
  const [before, after] = [block.subarray(0, place), block.subarray(place)];
  switch (kind) {
    case 'set':
      return Buffer.concat([before, Buffer.from([to]), after.subarray(1)]);
    case 'insert':
      return Buffer.concat([before, Buffer.from([to]), after]);
    case 'delete':
      return Buffer.concat([before, after.subarray(1)]);
    case 'cut':
      return Buffer.from(before);
    default:
      return Buffer.concat([before, after, after]);
  }
}
