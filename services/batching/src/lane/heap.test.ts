import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IndexedHeap } from './heap.js';

interface Item {
  key: number;
  readonly at: number[];
}

test('always answers the least item, whatever was pushed, removed or changed before', () => {
  const step = fc.record({
    kind: fc.constantFrom('push', 'pop', 'remove', 'update'),
    which: fc.nat(),
    key: fc.integer({ min: 0, max: 50 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new IndexedHeap<Item>(0, (left, right) => left.key < right.key);
      const model: Item[] = [];
      for (const { kind, which, key } of steps) {
        const item = model[which % Math.max(model.length, 1)];
        let told: readonly [unknown, unknown] = [undefined, undefined];
        if (kind === 'push') {
          const fresh: Item = { key, at: [-1] };
          model.push(fresh);
          heap.push(fresh);
        } else if (kind === 'pop') {
          const popped = heap.pop();
          told = [popped?.key, model.length === 0 ? undefined : Math.min(...model.map((one) => one.key))];
          if (popped !== undefined) model.splice(model.indexOf(popped), 1);
        } else if (item !== undefined && kind === 'remove') {
          told = [
            [heap.remove(item), heap.remove(item)],
            [true, false],
          ];
          model.splice(model.indexOf(item), 1);
        } else if (item !== undefined) {
          item.key = key;
          heap.update(item);
        }
        expect(told[0]).toEqual(told[1]);
        expect(heap.size).toBe(model.length);
        expect(heap.peek()?.key).toBe(model.length === 0 ? undefined : Math.min(...model.map((one) => one.key)));
        for (const one of model) expect(heap.itemAt(one.at[0] ?? -1)).toBe(one);
      }
    }),
  );
});
