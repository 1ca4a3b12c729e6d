import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PriorityPolicy } from '../../domain/gateway-table.js';
import { tierOf } from '../testing/tiers.js';
import { bandOf, priorityFor } from './priority-for.js';

const model: PriorityPolicy = { bands: 4, defaultBand: 2, bypassBand: 1, bypassMaxShare: 0.2, map: new Map([[7, 2]]) };

describe('priorityFor', () => {
  const cases: readonly [string, Parameters<typeof tierOf>[0], number, number, number | undefined][] = [
    ['what is allowed is taken', { maxPriority: 2 }, 3, 3, undefined],
    ['the highest allowed is taken', { maxPriority: 2 }, 2, 2, undefined],
    ['above the highest allowed is lowered', { maxPriority: 3 }, 1, 3, 1],
    ['a maximum past the bands is the last band', { maxPriority: 90 }, 2, 4, 2],
    ["none asked: the tier's default", { defaultPriority: 3 }, 0, 3, undefined],
    ["none asked, no default of the tier: the model's", {}, 0, 2, undefined],
    ["none asked: the model's default only as far as the tier allows", { maxPriority: 3 }, 0, 3, undefined],
    ['none asked: a default below the maximum stays', { maxPriority: 2, defaultPriority: 4 }, 0, 4, undefined],
    ["the table's map holds for what is asked", { maxPriority: 3 }, 7, 2, undefined],
  ];
  it.each(cases)('%s', (_name, tier, asked, band, loweredFrom) => {
    expect(priorityFor(tierOf(tier), asked, model)).toEqual({ band, loweredFrom });
  });

  it('never gives more than the tier allows, and says so exactly when less was given than asked', () => {
    const plain = { ...model, map: new Map<number, number>() };
    fc.assert(
      fc.property(fc.nat(6), fc.integer({ min: 1, max: 6 }), fc.nat(6), (asked, maxPriority, below) => {
        const tier = tierOf({ maxPriority, defaultPriority: below === 0 ? undefined : maxPriority + below - 1 });
        const { band, loweredFrom } = priorityFor(tier, asked, plain);
        expect(band).toBeGreaterThanOrEqual(bandOf(maxPriority, plain));
        expect(loweredFrom).toBe(asked !== 0 && asked < maxPriority ? asked : undefined);
      }),
    );
  });
});
