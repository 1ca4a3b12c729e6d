import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actualView } from '../testing/actual-view.js';
import { expectedView } from '../testing/expected-view.js';
import { decodeFully, encodeFully, messageType } from '../testing/full-decoder.js';
import { Random } from '../testing/random.js';
import { randomMessage } from '../testing/random-message.js';
import { mutateMessage } from '../testing/wire-mutator.js';
import { requestShape, responseShape } from '../testing/wire-tree.js';

const kinds = {
  request: { type: messageType('inference.ModelInferRequest'), shape: requestShape },
  response: { type: messageType('inference.ModelInferResponse'), shape: responseShape },
} as const;
type Kind = keyof typeof kinds;

function tellDifference(actual: unknown, expected: unknown, what: string): void {
  expect(actual, what).toEqual(expected);
}

/** Accepts or refuses the bytes as the independent decoder does, and reads the same out of them. */
function agrees(kind: Kind, bytes: Buffer, how: string): 'accepted' | 'refused' {
  const decoded = decodeFully(kinds[kind].type, bytes);
  const expected = decoded && expectedView(decoded, kind);
  const actual = actualView(bytes, kind);
  // Comparing first: an assertion with its text costs more than all the decoding.
  if (!isDeepStrictEqual(actual, expected)) tellDifference(actual, expected, `${how}: ${bytes.toString('hex')}`);
  return expected === undefined ? 'refused' : 'accepted';
}

describe.each(['request', 'response'] as const)(
  'scanning an inference %s agrees with an independent decoder',
  { timeout: 60_000 },
  (kind) => {
    const { type, shape } = kinds[kind];

    it('on valid messages', () => {
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const bytes = encodeFully(type, randomMessage(new Random(seed), kind));
          expect(agrees(kind, bytes, 'valid')).toBe('accepted');
        }),
        { numRuns: 300 },
      );
    });

    it('on messages changed on the wire, in accepting, refusing and every value', () => {
      const seen = { accepted: 0, refused: 0 };
      fc.assert(
        fc.property(fc.integer(), (seed) => {
          const random = new Random(seed);
          const { bytes, done } = mutateMessage(encodeFully(type, randomMessage(random, kind)), shape, random);
          seen[agrees(kind, bytes, done.join(', '))]++;
        }),
        { numRuns: 4000 },
      );
      // Neither side of the comparison may run empty: about half of the messages are valid.
      expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(400);
    });

    it('on messages cut at every byte', () => {
      const seen = { accepted: 0, refused: 0 };
      for (let seed = 0; seed < 12; seed++) {
        const bytes = encodeFully(type, randomMessage(new Random(seed), kind));
        for (let end = 0; end <= bytes.length; end++) seen[agrees(kind, bytes.subarray(0, end), `cut at ${end}`)]++;
      }
      // A cut between two fields leaves a valid message, any other does not.
      expect(seen.refused).toBeGreaterThan(seen.accepted);
      expect(seen.accepted).toBeGreaterThan(0);
    });

    it('on messages with any one byte changed', () => {
      // Short, with two tensors: typed contents in the request, raw ones in the response.
      const bytes = encodeFully(type, randomMessage(new Random(kind === 'request' ? 16 : 19), kind));
      const seen = { accepted: 0, refused: 0 };
      for (let at = 0; at < bytes.length; at++) {
        for (const change of [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x07, 0x7f, 0xff]) {
          const changed = Buffer.from(bytes);
          changed[at] = (changed[at] ?? 0) ^ change;
          seen[agrees(kind, changed, `byte ${at}`)]++;
        }
      }
      expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(200);
    });

    it('on random bytes', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
          agrees(kind, Buffer.from(bytes), 'random');
        }),
        { numRuns: 1000 },
      );
    });
  },
);
