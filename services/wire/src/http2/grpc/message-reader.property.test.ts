import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageReader } from './message-reader.js';
import { CountedBudget, Recorder, framed, joined } from './testing/reader-parts.js';

const maxMessageBytes = 300;

const message = fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.uint8Array({ minLength: 100, maxLength: 300 }));
const messages = fc.array(message, { maxLength: 12 });

/** Sizes of chunks, over and over. */
const cuts = fc.array(fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 400 })), {
  minLength: 1,
  maxLength: 12,
});

/** Over and over: does the sink pause after this message, do we resume after this chunk? */
const coins = fc.array(fc.boolean(), { minLength: 1, maxLength: 24 }).map((sides) => {
  let tosses = 0;
  return (): boolean => sides[tosses++ % sides.length] === true;
});

interface Run {
  readonly sink: Recorder;
  readonly budget: CountedBudget;
  readonly reader: MessageReader;
}

function start(maxBudgetBytes = Infinity): Run {
  const sink = new Recorder();
  const budget = new CountedBudget(maxBudgetBytes);
  const reader = new MessageReader(sink, { maxMessageBytes, encoding: 'gzip', budget });
  sink.reader = reader;
  return { sink, budget, reader };
}

/** Gives the bytes in chunks that are overwritten as soon as they were taken, with strangers' bytes around them. */
function feed({ reader }: Run, bytes: Buffer, sizes: readonly number[], between: () => void): void {
  let chunks = 0;
  for (let at = 0; at < bytes.length;) {
    const size = Math.min(bytes.length - at, sizes[chunks++ % sizes.length] ?? 1);
    const chunk = joined(Buffer.alloc(3, 0xee), bytes.subarray(at, at + size), Buffer.alloc(3, 0xee));
    reader.push(chunk, 3, 3 + size);
    chunk.fill(0xdb);
    at += size;
    between();
  }
}

/** Bare, for the assertions that are made thousands of times. */
function assert(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

function latin1(each: Uint8Array): string {
  return Buffer.from(each).toString('latin1');
}

describe('MessageReader, any input', () => {
  it('gives the same messages wherever the chunks are cut', () => {
    fc.assert(
      fc.property(messages, cuts, (list, sizes) => {
        const run = start();
        const { sink, budget, reader } = run;
        feed(run, joined(...list.map((each) => framed(each))), sizes, () => {
          assert(budget.usedBytes === reader.heldBytes, 'the budget says otherwise');
          assert(reader.heldBytes <= maxMessageBytes + 5, 'more than a message is held');
        });
        reader.end();
        expect(sink.log).toEqual([...list.map(latin1), 'end']);
        expect(budget.usedBytes).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('gives the same messages to a sink that pauses and resumes at random', () => {
    fc.assert(
      fc.property(messages, cuts, coins, (list, sizes, coin) => {
        const run = start();
        const { sink, budget, reader } = run;
        const bytes = joined(...list.map((each) => framed(each)));
        let delivering = false;
        sink.onEach = () => {
          assert(!delivering, 'a delivery inside another');
          assert(!reader.paused, 'a delivery in a pause');
          delivering = true;
          if (coin()) reader.pause();
          if (coin()) reader.resume();
          delivering = false;
        };
        feed(run, bytes, sizes, () => {
          if (coin()) reader.resume();
          assert(budget.usedBytes === reader.heldBytes, 'the budget says otherwise');
          assert(reader.pendingBytes <= reader.heldBytes, 'more is pending than held');
          assert(reader.heldBytes <= 4 * bytes.length, 'more is held than four times what came');
        });
        reader.end();
        for (let turns = 0; turns <= list.length && reader.paused; turns++) reader.resume();
        expect(sink.log).toEqual([...list.map(latin1), 'end']);
        expect(budget.usedBytes).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('takes any bytes: what is wrong ends it once, and nothing stays charged', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(fc.integer({ min: 0, max: 2 }), message).map(([flag, each]) => framed(each, flag)),
      // A small length and too few bytes, or one that is too large.
      fc
        .tuple(fc.nat(400), fc.uint8Array({ maxLength: 20 }))
        .map(([length, rest]) => joined(Buffer.from([0, 0, 0, length >> 8, length & 255]), rest)),
    );
    fc.assert(
      fc.property(
        fc.array(noise, { maxLength: 8 }),
        cuts,
        coins,
        fc.integer({ min: 0, max: 2_000 }),
        (parts, sizes, coin, maxBudgetBytes) => {
          const run = start(maxBudgetBytes);
          const { sink, budget, reader } = run;
          sink.onEach = () => {
            if (coin()) reader.pause();
          };
          feed(run, joined(...parts), sizes, () => {
            if (coin()) reader.resume();
            assert(budget.usedBytes === reader.heldBytes, 'the budget says otherwise');
          });
          reader.end();
          for (let turns = 0; turns < 500 && reader.paused; turns++) reader.resume();
          const verdicts = sink.log.filter((line) => /^(?:end$|too large: \d|malformed: |no memory$)/.test(line));
          expect(verdicts.length).toBeGreaterThanOrEqual(1);
          expect(sink.log.length).toBe(sink.messages.length + 1);
          expect(sink.messages.every(({ length }) => length <= maxMessageBytes)).toBe(true);
          expect(budget.usedBytes).toBe(0);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('gives everything back when the stream dies, at any moment', () => {
    fc.assert(
      fc.property(messages, cuts, coins, fc.nat(10), (list, sizes, coin, moment) => {
        const run = start();
        const { sink, budget, reader } = run;
        sink.onEach = () => {
          if (coin()) reader.pause();
        };
        let chunk = 0;
        let told = -1;
        feed(run, joined(...list.map((each) => framed(each))), sizes, () => {
          if (chunk++ !== moment) return;
          reader.release();
          told = sink.log.length;
        });
        reader.release();
        reader.resume();
        reader.end();
        expect(sink.log.length).toBe(told < 0 ? sink.log.length : told);
        expect(sink.log).not.toContain('end');
        expect(budget.usedBytes).toBe(0);
      }),
    );
  });
});
