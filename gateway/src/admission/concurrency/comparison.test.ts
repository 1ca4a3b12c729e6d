import { describe, expect, test } from 'vitest';
import { GoalGradient } from './goal-gradient.js';
import { algorithms, cases, gpu } from './testing/compare.js';
import { adaptedAfterMs, simulateQueue } from './testing/queue-simulation.js';
import type { SimResult } from './testing/queue-simulation.js';

function run(algorithm: string, name: string): SimResult {
  const of = cases[name];
  const make = algorithms[algorithm];
  if (of === undefined || make === undefined) throw new Error(`no ${name} or ${algorithm}`);
  return simulateQueue(make({ percentile: 99, latencyMs: of.goalMs }, of.backend), of);
}

describe('the limit by the goal', () => {
  test.each<[string, number, number, number]>([
    // case, least attainment, least goodput by what the backend can do, most variation of the limit
    ['0.5x', 0.999, 0.48, 0.03],
    ['0.9x', 0.99, 0.88, 0.01],
    ['1.2x', 0.99, 0.98, 0.03],
    ['2x', 0.99, 0.98, 0.03],
    ['3x', 0.99, 0.98, 0.03],
    ['2x, goal of 40 ms', 0.99, 0.98, 0.03],
    ['2x, goal of 300 ms', 0.99, 0.98, 0.03],
    ['2x, 4 CPU servers', 0.99, 0.98, 0.03],
    ['bursts of 3x', 0.99, 0.6, 0.03],
  ])('%s: in time, full batches, and it stands still', (name, attainment, goodput, variation) => {
    const result = run('goal', name);
    expect(result.attainment).toBeGreaterThanOrEqual(attainment);
    expect(result.goodput).toBeGreaterThanOrEqual(goodput);
    expect(result.variation).toBeLessThanOrEqual(variation);
  });

  test.each([['half as fast from 12 s on'], ['twice as fast from 12 s on']])('%s: is there within a second', (name) => {
    expect(adaptedAfterMs(run('goal', name), 12_000)).toBeLessThanOrEqual(1_000);
  });

  test('finds full batches even if nobody tells it what the targets need', () => {
    expect(run('goal, no floor', '2x').meanBatch).toBeGreaterThan(31.5);
  });

  test('without a goal batches are full too, and the queue stays at two of them', () => {
    for (const load of [1.5, 3]) {
      const limit = new GoalGradient({ goal: undefined, initial: 4 });
      const result = simulateQueue(limit, { backend: gpu, load: () => load, goalMs: 60, forMs: 12_000, fromMs: 4_000 });
      expect(result.meanBatch).toBeGreaterThan(31);
      expect(result.goodput).toBeGreaterThan(0.97);
      expect(result.meanLimit).toBeGreaterThan(70);
      expect(result.meanLimit).toBeLessThan(110);
      expect(result.variation).toBeLessThan(0.05);
    }
  });
});

describe('why not the others', () => {
  test('Gradient2 takes batching for queueing: smaller batches, a seventh of the goodput gone', () => {
    const result = run('gradient2', '2x');
    expect(result.meanBatch).toBeLessThan(28);
    expect(result.goodput).toBeLessThan(0.9);
  });

  test('Vegas knows no goal: a tight one is missed', () => {
    expect(run('vegas', '2x, goal of 40 ms').attainment).toBeLessThan(0.5);
  });

  test('AIMD swings, and takes seconds', () => {
    const result = run('aimd', '2x');
    expect(result.variation).toBeGreaterThan(0.1);
    expect(adaptedAfterMs(result, 0)).toBeGreaterThan(5_000);
  });
});
