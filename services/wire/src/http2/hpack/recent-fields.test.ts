import { describe, expect, it } from 'vitest';
import { RecentFields } from './recent-fields.js';

describe('RecentFields', () => {
  it.each<{ name: string; asked: [place: number, name: string, value: string, generation: number]; index: number }>([
    { name: 'the same field at the same place', asked: [0, 'x', '1', 7], index: 62 },
    { name: 'another name', asked: [0, 'y', '1', 7], index: 0 },
    { name: 'another value', asked: [0, 'x', '2', 7], index: 0 },
    { name: 'another state of the table', asked: [0, 'x', '1', 8], index: 0 },
    { name: 'another place', asked: [1, 'x', '1', 7], index: 0 },
  ])('answers $index for $name', ({ asked: [place, name, value, generation], index }) => {
    const fields = new RecentFields();
    fields.store(0, 'x', '1', 7, 62);
    expect(fields.find(place, name, value, generation)).toBe(index);
  });

  it('knows the first 16 places, as they fill up in turn', () => {
    const fields = new RecentFields();
    fields.store(5, 'x', '1', 0, 62);
    for (let place = 0; place < 20; place += 1) fields.store(place, 'x', '1', 0, 62 + place);
    const found = Array.from({ length: 20 }, (_, place) => fields.find(place, 'x', '1', 0));
    expect(found).toEqual([...Array.from({ length: 16 }, (_, place) => 62 + place), 0, 0, 0, 0]);
  });
});
