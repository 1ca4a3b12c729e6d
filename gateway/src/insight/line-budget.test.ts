import { describe, expect, it } from 'vitest';
import { LineBudget } from './line-budget.js';

describe('LineBudget', () => {
  it('gives a flood some lines a second, and says how many it left out', () => {
    const budget = new LineBudget();
    const lines: (number | undefined)[] = [];
    // 5,000 a second for three seconds.
    for (let i = 0; i < 15_000; i++) lines.push(budget.take('UNAUTHENTICATED', i / 5));
    const told = lines.filter((each) => each !== undefined);
    expect(told).toHaveLength(60);
    expect(told.filter((each) => each > 0)).toEqual([4_980, 4_980]);
  });

  it('keeps the reasons apart', () => {
    const budget = new LineBudget();
    for (let i = 0; i < 100; i++) budget.take('UNAUTHENTICATED', 0);
    expect([budget.take('UNAUTHENTICATED', 1), budget.take('BACKEND_LOST', 1)]).toEqual([undefined, 0]);
  });
});
