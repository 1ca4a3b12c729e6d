import fc from 'fast-check';
import { expect, it } from 'vitest';
import { OpenSet } from './open-set.js';

const item = (name: number): { name: number; openAt: number } => ({ name, openAt: -1 });

it('holds what was added and not deleted, whatever the order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 60 }), (names) => {
      const set = new OpenSet<ReturnType<typeof item>>();
      const items = new Map<number, ReturnType<typeof item>>();
      // A name that comes again leaves.
      for (const name of names) {
        const known = items.get(name);
        if (known === undefined) {
          items.set(name, item(name));
          set.add(items.get(name) ?? item(name));
        } else {
          set.delete(known);
          set.delete(known);
          items.delete(name);
        }
        expect(set.size).toBe(items.size);
        expect(new Set(set.all())).toEqual(new Set(items.values()));
      }
    }),
  );
});

it('tells when it is empty', async () => {
  const set = new OpenSet<ReturnType<typeof item>>();
  await set.whenEmpty();
  const [one, two] = [item(1), item(2)];
  set.add(one);
  set.add(two);
  let empty = false;
  const waiting = set.whenEmpty().then(() => (empty = true));
  set.delete(one);
  await Promise.resolve();
  expect(empty).toBe(false);
  set.delete(two);
  await waiting;
  expect(empty).toBe(true);
});
