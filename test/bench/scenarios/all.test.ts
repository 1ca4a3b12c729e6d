import { describe, expect, it } from 'vitest';
import { scenarios } from './all.js';
import type { BenchContext } from './scenario.js';

const context: BenchContext = {
  lengths: { warmUpS: 1, measureS: 1, rawS: 1, manyModels: 2 },
  h2load: { path: 'h2load', env: {} },
  file: (model) => model,
  say: () => undefined,
};

it('names each scenario once', () => {
  expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
});

describe.each(scenarios.map((scenario) => [scenario.name, scenario] as const))('%s', (_, scenario) => {
  const arms = scenario.arms(context).map(({ name }) => name);

  it('names each arm once', () => expect(new Set(arms).size).toBe(arms.length));

  it('judges by arms and columns that it has', () => {
    const figures = Object.fromEntries(scenario.columns.map(({ key }) => [key, 1]));
    const verdicts = scenario.judge(new Map(arms.map((arm) => [arm, [figures]])));
    expect(verdicts.filter(({ met }) => met === undefined)).toEqual([]);
  });

  it('leaves its targets open while nothing was measured', () => {
    expect(scenario.judge(new Map(arms.map((arm) => [arm, []]))).filter(({ met }) => met !== undefined)).toEqual([]);
  });
});
