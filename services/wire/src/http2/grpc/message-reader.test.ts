import { describe, expect, it } from 'vitest';
import { MessageReader } from './message-reader.js';
import type { MessageReaderOptions } from './message-reader.js';
import { CountedBudget, Recorder, framed, joined } from './testing/reader-parts.js';

const kib = 1024;

function readerWith(options: Partial<MessageReaderOptions> = {}, maxBudgetBytes = Infinity) {
  const sink = new Recorder();
  const budget = new CountedBudget(maxBudgetBytes);
  const reader = new MessageReader(sink, { maxMessageBytes: 100 * kib, encoding: 'identity', budget, ...options });
  sink.reader = reader;
  const push = (...bytes: Buffer[]): void => {
    for (const each of bytes) reader.push(each, 0, each.length);
  };
  return { sink, budget, reader, push };
}

describe('MessageReader', () => {
  it('hands on whole messages as views of the chunk, and holds nothing', () => {
    const { sink, budget, reader, push } = readerWith();
    const chunk = joined(framed('one'), framed(''), framed('three'));
    push(chunk);
    expect(sink.texts).toEqual(['one', '', 'three']);
    expect(sink.messages.every(({ buffer }) => buffer === chunk.buffer)).toBe(true);
    expect([reader.heldBytes, reader.pendingBytes, reader.inMessage, budget.takes]).toEqual([0, 0, false, 0]);
  });

  it('reads only between start and end', () => {
    const { sink, reader } = readerWith();
    const message = framed('one');
    const chunk = joined(Buffer.from([9, 9]), message, Buffer.from([9]));
    reader.push(chunk, 2, 2);
    reader.push(chunk, 2, 2 + message.length);
    reader.end();
    expect(sink.log).toEqual(['one', 'end']);
  });

  it('puts together what comes in parts, in memory that is no larger than the message', () => {
    const { sink, budget, reader, push } = readerWith();
    const message = framed('x'.repeat(200));
    push(message.subarray(0, 3));
    expect([reader.pendingBytes, reader.inMessage]).toEqual([3, true]);
    push(message.subarray(3, 60), message.subarray(60, 150));
    expect(reader.heldBytes).toBe(205);
    push(joined(message.subarray(150), framed('next')));
    expect(sink.texts).toEqual(['x'.repeat(200), 'next']);
    expect([reader.heldBytes, budget.usedBytes]).toEqual([0, 0]);
  });

  it('keeps nothing of a chunk after push', () => {
    const { sink, push } = readerWith();
    const message = framed('abcdef');
    for (const part of [message.subarray(0, 4), message.subarray(4, 8)]) {
      const chunk = Buffer.from(part);
      push(chunk);
      chunk.fill(0xdb);
    }
    push(Buffer.from(message.subarray(8)));
    expect(sink.texts).toEqual(['abcdef']);
  });

  it('takes memory for what came, not for what is announced', () => {
    const { budget, reader, push } = readerWith({ maxMessageBytes: 64 * kib * kib });
    const prefix = Buffer.from([0, 4, 0, 0, 0]);
    push(prefix, Buffer.alloc(10));
    expect(budget.peakBytes).toBeLessThanOrEqual(100);
    push(Buffer.alloc(16 * kib));
    expect(reader.heldBytes).toBeLessThanOrEqual(4 * 17 * kib);
    expect(budget.usedBytes).toBe(reader.heldBytes);
    reader.release();
    expect(budget.usedBytes).toBe(0);
  });

  it('copies little of a large message twice', () => {
    const { sink, budget, push } = readerWith({ maxMessageBytes: kib * kib });
    const message = framed('y'.repeat(kib * kib));
    for (let at = 0; at < message.length; at += 16 * kib) push(message.subarray(at, at + 16 * kib));
    expect(sink.texts[0]?.length).toBe(kib * kib);
    expect(budget.takes).toBeLessThanOrEqual(5);
    expect(budget.usedBytes).toBe(0);
  });

  it('refuses a message above the limit before it stores any of it', () => {
    const { sink, budget, push } = readerWith({ maxMessageBytes: 1_000 });
    push(framed('a'), framed('b'.repeat(1_000)));
    expect(sink.log.length).toBe(2);
    push(Buffer.from([0, 0, 0]), Buffer.from([0x03, 0xe9, 1, 2, 3]));
    push(framed('c'));
    expect(sink.log.slice(2)).toEqual(['too large: 1001']);
    expect([budget.usedBytes, budget.peakBytes < 100]).toEqual([0, true]);
  });

  it.each([
    ['a flag other than 0 and 1', 'gzip', Buffer.from([2]), 'malformed: a message begins with a flag byte other than 0 or 1'],
    [
      'compression without an encoding',
      'identity',
      Buffer.from([1]),
      'malformed: a message is marked as compressed, but grpc-encoding is identity',
    ],
  ] as const)('refuses %s at its first byte', (_name, encoding, bytes, text) => {
    const { sink, push } = readerWith({ encoding });
    push(joined(framed('a'), bytes), framed('b'));
    expect(sink.log).toEqual(['a', text]);
  });

  it('tells compressed messages from others where the encoding allows them', () => {
    const { sink, push } = readerWith({ encoding: 'gzip' });
    push(framed('a', 1), framed('b', 0));
    expect(sink.compressed).toEqual([true, false]);
  });

  it.each([
    ['nothing', [], ['end']],
    ['whole messages', [framed('a')], ['a', 'end']],
    [
      'half a prefix',
      [framed('a'), Buffer.from([0, 0])],
      ['a', 'malformed: the stream ended inside a message, after 2 of at least 5 bytes'],
    ],
    ['half a message', [framed('abcdef').subarray(0, 8)], ['malformed: the stream ended inside a message, after 8 of 11 bytes']],
  ] as const)('ends after %s', (_name, chunks, log) => {
    const { sink, budget, reader, push } = readerWith();
    push(...chunks);
    reader.end();
    reader.end();
    push(framed('too late'));
    expect(sink.log).toEqual(log);
    expect(budget.usedBytes).toBe(0);
  });

  it('tells a sink without onEnd nothing at a clean end', () => {
    const budget = new CountedBudget();
    const sink = { onMessage: () => {}, onTooLarge: () => {}, onMalformed: () => {}, onNoMemory: () => {} };
    const reader = new MessageReader(sink, { maxMessageBytes: 10, encoding: 'identity', budget });
    reader.push(framed('a'), 0, 6);
    expect(() => reader.end()).not.toThrow();
  });

  it('fails when the budget refuses, and gives back what it had', () => {
    const { sink, budget, push } = readerWith({}, 50_000);
    const message = framed('z'.repeat(60_000));
    push(message.subarray(0, 5_000), message.subarray(5_000, 10_000), message.subarray(10_000, 40_000));
    push(framed('b'));
    expect(sink.log).toEqual(['no memory']);
    expect([budget.usedBytes, budget.peakBytes]).toEqual([0, 20_000]);
  });

  describe('while the sink pauses', () => {
    it('holds what comes, charged, and delivers it in order on resume', () => {
      const { sink, budget, reader, push } = readerWith();
      sink.pauseAfter = 1;
      push(joined(framed('one'), framed('two')), framed('three').subarray(0, 6));
      expect(sink.log).toEqual(['one']);
      expect([reader.paused, reader.pendingBytes, reader.inMessage]).toEqual([true, 8 + 6, false]);
      expect(budget.usedBytes).toBe(reader.heldBytes);
      reader.resume();
      expect(sink.log).toEqual(['one', 'two']);
      expect([reader.pendingBytes, reader.inMessage]).toEqual([6, true]);
      push(framed('three').subarray(6));
      expect(sink.log).toEqual(['one', 'two', 'three']);
      expect(budget.usedBytes).toBe(0);
    });

    it('delivers one message a time to a sink that pauses after each', () => {
      const { sink, budget, reader, push } = readerWith();
      sink.onEach = () => reader.pause();
      push(joined(framed('a'), framed('b')), framed('c'));
      reader.end();
      for (const log of [['a'], ['a', 'b'], ['a', 'b', 'c'], ['a', 'b', 'c', 'end']]) {
        expect(sink.log).toEqual(log);
        reader.resume();
      }
      expect(budget.usedBytes).toBe(0);
    });

    it('ends behind the last held message', () => {
      const { sink, reader, push } = readerWith();
      reader.pause();
      push(framed('one'), Buffer.from([0]));
      reader.end();
      push(framed('after the end'));
      expect([sink.log, reader.pendingBytes]).toEqual([[], 9]);
      reader.resume();
      expect(sink.log).toEqual(['one', 'malformed: the stream ended inside a message, after 1 of at least 5 bytes']);
    });

    it('finds what is wrong once it is that message’s turn', () => {
      const { sink, budget, reader, push } = readerWith({ maxMessageBytes: 10 });
      reader.pause();
      push(framed('one'), framed('x'.repeat(11)), framed('three'));
      reader.resume();
      expect(sink.log).toEqual(['one', 'too large: 11']);
      expect(budget.usedBytes).toBe(0);
    });

    it('uses the room of delivered messages again', () => {
      const { sink, budget, reader, push } = readerWith();
      sink.onEach = () => reader.pause();
      const texts = Array.from({ length: 1_000 }, (_, i) => `message ${i}`);
      reader.pause();
      push(framed('first'), framed('second'));
      for (const text of texts) {
        push(framed(text));
        reader.resume();
      }
      reader.resume();
      reader.resume();
      expect(sink.texts).toEqual(['first', 'second', ...texts]);
      expect(budget.peakBytes).toBeLessThan(300);
      expect(budget.usedBytes).toBe(0);
    });

    it('fails when the budget refuses to hold more', () => {
      const { sink, budget, reader, push } = readerWith({}, 1_000);
      reader.pause();
      push(framed('a'.repeat(500)), framed('b'.repeat(600)));
      expect(sink.log).toEqual(['no memory']);
      reader.resume();
      expect([sink.log.length, budget.usedBytes]).toEqual([1, 0]);
    });
  });

  describe('from inside onMessage', () => {
    it('resumes without delivering inside the delivery', () => {
      const { sink, reader, push } = readerWith();
      let depth = 0;
      let deepest = 0;
      sink.onEach = () => {
        deepest = Math.max(deepest, ++depth);
        reader.pause();
        reader.resume();
        depth--;
      };
      push(joined(framed('a'), framed('b'), framed('c')));
      expect([sink.texts, deepest]).toEqual([['a', 'b', 'c'], 1]);
    });

    it('ends after the chunk that is being read', () => {
      const { sink, reader, push } = readerWith();
      sink.onEach = () => reader.end();
      push(joined(framed('a'), framed('b')));
      expect(sink.log).toEqual(['a', 'b', 'end']);
    });

    it.each([
      ['a chunk', false],
      ['what was held', true],
    ])('releases: nothing more of %s is delivered', (_name, held) => {
      const { sink, budget, reader, push } = readerWith();
      sink.onEach = () => reader.release();
      if (held) reader.pause();
      push(joined(framed('a'), framed('b'), Buffer.from([0])));
      if (held) reader.resume();
      push(framed('c'));
      reader.end();
      expect([sink.log, budget.usedBytes]).toEqual([['a'], 0]);
    });

    it('refuses bytes, which would overtake those on their way', () => {
      const { sink, budget, push } = readerWith();
      sink.onEach = () => push(framed('b'));
      expect(() => push(joined(framed('a'), framed('c')))).toThrow('from inside onMessage');
      expect(budget.usedBytes).toBe(0);
    });

    it('passes an exception on and is over', () => {
      const { sink, budget, reader, push } = readerWith();
      const half = framed('abcdef');
      push(half.subarray(0, 8));
      sink.onEach = () => {
        throw new Error('a defect above');
      };
      expect(() => push(joined(half.subarray(8), framed('b')))).toThrow('a defect above');
      push(framed('c'));
      reader.end();
      expect([sink.texts, budget.usedBytes]).toEqual([['abcdef'], 0]);
    });
  });
});
