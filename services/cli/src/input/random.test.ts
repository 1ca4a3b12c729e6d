import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { datatypeBytes } from '@headrace/proto';
import type { Datatype } from '@headrace/proto';
import { decodeElements } from './decode.js';
import { randomInputs, seededRandom } from './random.js';
import type { ModelSpec } from './tensor-spec.js';

const spec = (datatype: string, shape: number[]): ModelSpec => ({
  name: 'm',
  versions: [],
  platform: '',
  inputs: [{ name: 'x', datatype, shape }],
  outputs: [],
});
const options = { rows: 2, openDim: 3, shapes: new Map<string, number[]>(), integers: [0, 9] as const };

describe('randomInputs', () => {
  test.each(Object.keys(datatypeBytes) as Datatype[])('%s has as many elements as its shape says', (datatype) => {
    const [tensor] = randomInputs(spec(datatype, [-1, 4, -1]), { ...options, random: seededRandom(1) });
    expect(tensor?.shape).toEqual([2, 4, 3]);
    expect(decodeElements(Buffer.concat([...(tensor?.data ?? [])]), datatype)).toHaveLength(24);
  });

  test('integers stay in the range asked for, and in that of their type', () => {
    fc.assert(
      fc.property(fc.constantFrom<Datatype>('INT8', 'UINT8', 'INT64'), fc.integer(), (datatype, seed) => {
        const [tensor] = randomInputs(spec(datatype, [50]), { ...options, integers: [100, 1000], random: seededRandom(seed) });
        const max = datatype === 'INT8' ? 127 : datatype === 'UINT8' ? 255 : 1000;
        return decodeElements(Buffer.concat([...(tensor?.data ?? [])]), datatype).every(
          (value) => Number(value) >= 100 && Number(value) <= max,
        );
      }),
    );
  });

  test('the same seed gives the same bytes, another one others', () => {
    const draw = (seed: number) =>
      Buffer.concat([...(randomInputs(spec('FP32', [20]), { ...options, random: seededRandom(seed) })[0]?.data ?? [])]).toString('hex');
    expect(draw(1)).toBe(draw(1));
    expect(draw(1)).not.toBe(draw(2));
  });

  test('a shape given by the person wins', () => {
    const [tensor] = randomInputs(spec('FP32', [-1, -1]), { ...options, shapes: new Map([['x', [5, 7]]]), random: seededRandom(1) });
    expect(tensor?.shape).toEqual([5, 7]);
  });

  test('what cannot fit a message is refused before it is made', () => {
    expect(() => randomInputs(spec('FP32', [100_000, 100_000]), { ...options, random: seededRandom(1) })).toThrow('10000000000 elements');
  });
});
