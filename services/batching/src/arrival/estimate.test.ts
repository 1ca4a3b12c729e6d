import { describe, expect, test } from 'vitest';
import { createCostBook } from '../cost/cost-book.js';
import { makeRequest } from '../testing/index.js';
import type { CostBook, TargetSnapshot } from '../types.js';
import { estimateWait } from './estimate.js';

function learned(classes: Readonly<Record<string, readonly [number, number]>>, sizes = [1, 4, 16, 32]): CostBook {
  const costs = createCostBook();
  for (const [podClass, [overheadMs, perRowMs]] of Object.entries(classes)) {
    for (let round = 0; round < 4; round++) for (const rows of sizes) costs.observe('model', podClass, rows, overheadMs + perRowMs * rows);
  }
  return costs;
}

function target(podClass: string, freeInMs = 0, more: Partial<TargetSnapshot> = {}): TargetSnapshot {
  return { id: podClass, podClass, outstanding: freeInMs > 0 ? 1 : 0, capacity: 2, freeInMs, penalty: 1, ...more };
}

const gpu = { gpu: [10, 0.1] as const };

describe('estimateWait', () => {
  test.each<[string, TargetSnapshot[], number, { rows?: number; mergeable?: boolean }, [number, number, number]]>([
    ['nothing before it: a run alone', [target('gpu')], 0, {}, [0, 10.1, 10.1]],
    ['what runs now', [target('gpu', 4)], 0, {}, [4, 14.1, 10.1]],
    ['joins the batch before it', [target('gpu', 4)], 8, {}, [4, 14.9, 10.1]],
    ['the batch after, which nobody fills up', [target('gpu', 4)], 40, {}, [17.2, 28.1, 10.1]],
    ['its own rows', [target('gpu')], 0, { rows: 8 }, [0, 10.8, 10.8]],
    ['slow start counts double', [target('gpu', 0, { penalty: 2 })], 0, {}, [0, 20.2, 20.2]],
    ['a call costs besides the run', [target('gpu', 0, { batchOverheadMs: 1 })], 0, {}, [0, 11.1, 11.1]],
    ['alone: one run for each', [target('gpu')], 2, { mergeable: false }, [20.2, 30.3, 10.1]],
  ])('%s', (_, targets, ahead, request, [startInMs, endInMs, soloMs]) => {
    const estimate = estimateWait(makeRequest(request), ahead, { targets, costs: learned(gpu), maxBatchRows: 32 });
    expect(estimate?.startInMs).toBeCloseTo(startInMs, 0);
    expect(estimate?.endInMs).toBeCloseTo(endInMs, 0);
    expect(estimate?.soloMs).toBeCloseTo(soloMs, 1);
  });

  test.each<[string, number, number, number, number]>([
    ['fills up where others come', 40, 0, 2, 30.4],
    ['holds who comes until then', 40, 0, 0.5, 29],
    ['holds those who wait already and are due later', 2, 20, 0, 16.1],
    ['is no larger than it may be', 2, 200, 9, 17.2],
  ])('its batch %s', (_, ahead, beside, comingPerMs, endInMs) => {
    const input = { targets: [target('gpu', 4)], costs: learned(gpu), maxBatchRows: 32 };
    expect(estimateWait(makeRequest(), ahead, input, beside, comingPerMs)?.endInMs).toBeCloseTo(endInMs, 0);
  });

  test('who has less time than two full batches has its batch cut for it', () => {
    const input = { targets: [target('gpu')], costs: learned({ gpu: [10, 0.5] }), maxBatchRows: 32 };
    const end = (budgetMs: number): number => estimateWait(makeRequest(), 0, input, 200, 0, budgetMs)?.endInMs ?? NaN;
    expect([end(53), end(51)].map(Math.round)).toEqual([26, 19]);
  });

  test('two targets halve the wait', () => {
    const input = { costs: learned(gpu), maxBatchRows: 32 };
    const one = estimateWait(makeRequest(), 320, { ...input, targets: [target('gpu')] });
    const two = estimateWait(makeRequest(), 320, { ...input, targets: [target('gpu'), { ...target('gpu'), id: 'b' }] });
    expect((two?.startInMs ?? 0) / (one?.startInMs ?? 1)).toBeLessThan(0.6);
  });

  test.each<[string, CostBook, TargetSnapshot[], string | undefined]>([
    ['no target', learned(gpu), [], undefined],
    ['pinned to one that is gone', learned(gpu), [target('gpu')], 'other'],
    ['nothing ran yet', createCostBook(), [target('gpu')], undefined],
    ['overhead and rows are not told apart', learned(gpu, [8]), [target('gpu')], undefined],
    ['one target of two is unknown', learned(gpu), [target('gpu'), target('cpu')], undefined],
  ])('says nothing: %s', (_, costs, targets, pinnedTarget) => {
    expect(estimateWait(makeRequest({ pinnedTarget }), 10, { costs, targets, maxBatchRows: 32 })).toBeUndefined();
  });

  test('a model that is never batched needs no sizes to be known', () => {
    const estimate = estimateWait(makeRequest(), 3, { costs: learned(gpu, [1]), targets: [target('gpu')], maxBatchRows: 1 });
    expect(estimate?.endInMs).toBeCloseTo(4 * 10.1, 0);
  });
});
