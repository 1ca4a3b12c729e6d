import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DynamicTable } from './dynamic-table.js';

/** What RFC 7541 4 says, without the ring. */
class Model {
  maxBytes = 4096;
  /** Newest first. */
  entries: (readonly [name: string, value: string])[] = [];

  insert(name: string, value: string): void {
    this.entries.unshift([name, value]);
    this.resize(this.maxBytes);
  }

  resize(maxBytes: number): void {
    this.maxBytes = maxBytes;
    while (this.bytes() > maxBytes) this.entries.pop();
  }

  bytes(): number {
    return this.entries.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0);
  }
}

const text = fc.string({ maxLength: 60 });
const operation = fc.oneof(
  { weight: 10, arbitrary: fc.record({ name: text, value: text }) },
  { weight: 1, arbitrary: fc.record({ maxBytes: fc.constantFrom(0, 31, 32, 64, 500, 4096, 16_384) }) },
);

describe('DynamicTable', { timeout: 30_000 }, () => {
  it('holds what a plain list would hold, through evictions, growth and resizing', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200, size: 'max' }), (operations) => {
        const evicted: string[] = [];
        const table = new DynamicTable((name, value, sequence) => evicted.push(`${sequence}:${name}=${value}`));
        const model = new Model();
        const inserted: string[] = [];
        for (const each of operations) {
          const { generation } = table;
          const before = [...model.entries];
          if ('maxBytes' in each) {
            table.resize(each.maxBytes);
            model.resize(each.maxBytes);
          } else {
            table.insert(each.name, each.value);
            model.insert(each.name, each.value);
            if (table.inserted > inserted.length) inserted.push(`${table.inserted}:${each.name}=${each.value}`);
          }
          expect(contentOf(table)).toEqual(model.entries);
          expect([table.bytes, table.maxBytes]).toEqual([model.bytes(), model.maxBytes]);
          const same = before.length === model.entries.length && before[0] === model.entries[0];
          expect(same || table.generation > generation).toBe(true);
        }
        // First in, first out, each told once and with its own sequence.
        expect(evicted).toEqual(inserted.slice(0, inserted.length - table.count));
      }),
    );
  });

  it('empties itself for a field larger than the whole table', () => {
    const table = new DynamicTable();
    table.insert('a', 'b');
    table.insert('c', 'd'.repeat(5000));
    expect([table.count, table.bytes]).toEqual([0, 0]);
  });
});

function contentOf(table: DynamicTable): [string, string][] {
  return Array.from({ length: table.count }, (_, age) => [table.nameAt(age), table.valueAt(age)]);
}
