import { describe, expect, it } from 'vitest';
import { PlainStream } from '../testing/plain-stream.js';
import { StreamTable } from './stream-table.js';

describe('StreamTable', () => {
  it('holds open streams by id and remembers how closed ones ended', () => {
    const table = new StreamTable();
    const stream = new PlainStream(3);
    table.add(stream);
    expect([table.size, table.get(3)]).toEqual([1, stream]);
    table.close(3, 'peer');
    expect([table.size, table.get(3), table.closedBy(3)]).toEqual([0, undefined, 'peer']);
  });

  it('closes only what is open: the first reason stays', () => {
    const table = new StreamTable();
    table.add(new PlainStream(3));
    table.close(3, 'us');
    table.close(3, 'peer');
    table.close(5, 'peer');
    expect([table.closedBy(3), table.closedBy(5)]).toEqual(['us', undefined]);
  });

  it('finds each stream whatever outlives it: the long-lived keep their slots', () => {
    const table = new StreamTable();
    const open = new Map<number, PlainStream>();
    // Every 50th stream stays; the others close after 40 more.
    for (let id = 1; id < 20_000; id += 2) {
      const stream = new PlainStream(id);
      table.add(stream);
      open.set(id, stream);
      const old = id - 80;
      if (old > 0 && old % 100 !== 1) {
        table.close(old, 'peer');
        open.delete(old);
      }
    }
    expect(table.size).toBe(open.size);
    expect([...open].filter(([id, stream]) => table.get(id) !== stream)).toEqual([]);
    expect(new Set(table.values())).toEqual(new Set(open.values()));
    expect(table.get(21_001)).toBeUndefined();
    for (const id of open.keys()) table.close(id, 'us');
    expect([table.size, table.values()]).toEqual([0, []]);
  });

  it('forgets the oldest of more than 256', () => {
    const table = new StreamTable();
    for (let id = 1; id <= 2 * 257; id += 2) table.remember(id, 'us');
    expect([table.closedBy(1), table.closedBy(3), table.closedBy(513)]).toEqual([undefined, 'us', 'us']);
  });
});
