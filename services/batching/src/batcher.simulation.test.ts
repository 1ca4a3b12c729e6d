import { describe, expect, test } from 'vitest';
import { Simulation, closedLoop, openLoop } from './testing/index.js';
import type { SimTarget } from './testing/index.js';

const gpu: SimTarget = { id: 'gpu', podClass: 'gpu', overheadMs: 10, perRowMs: 0.1, noise: 0.05 };
const cpu: SimTarget = { id: 'cpu', podClass: 'cpu', overheadMs: 1, perRowMs: 20, noise: 0.05 };

function doneRowsPerMs(simulation: Simulation, clients: number, warmMs: number, forMs: number): number {
  const load = closedLoop(simulation, clients);
  simulation.clock.advance(warmMs);
  const before = load.doneRows();
  simulation.clock.advance(forMs);
  return (load.doneRows() - before) / forMs;
}

describe('throughput under saturation is that of the best fixed batch size, less 5 % at most', () => {
  test.each([
    ['all overhead', 10, 0.01],
    ['a GPU', 10, 0.1],
    ['half and half', 1, 1],
    ['a small model', 0.1, 0.02],
    ['mostly rows', 1, 15],
    ['rows alone', 0, 5],
  ])('%s: a = %d ms, k = %d ms', (_, overheadMs, perRowMs) => {
    const simulation = new Simulation({ targets: [{ id: 'one', podClass: 'cpu', overheadMs, perRowMs, noise: 0.05 }] });
    const bestMs = overheadMs + perRowMs * 32;
    const rate = doneRowsPerMs(simulation, 128, 40 * bestMs, 60 * bestMs);
    expect(rate).toBeGreaterThan(0.95 * (32 / bestMs));
  });
});

describe('clients that wait for their answers run together, not in two groups that take turns', () => {
  test.each([
    ['two', 2],
    ['four', 4],
    ['sixteen', 16],
    ['as many as a batch holds', 32],
    ['more', 40],
  ])('%s', (_, clients) => {
    for (const capacity of [1, 2]) {
      const simulation = new Simulation({ targets: [{ ...gpu, capacity }] });
      const load = closedLoop(simulation, clients, 0.1);
      simulation.clock.advance(2_000);
      const before = load.doneRows();
      simulation.clock.advance(5_000);
      const together = Math.min(clients, 32);
      expect((load.doneRows() - before) / 5_000).toBeGreaterThan(0.9 * (together / (10.1 + 0.1 * together)));
    }
  });
});

describe('an idle system adds no delay', () => {
  test.each([
    ['with a high overhead', 10, 0.1],
    ['with costly rows', 1, 15],
  ])('%s', (_, overheadMs, perRowMs) => {
    const simulation = new Simulation({ targets: [{ id: 'one', podClass: 'x', overheadMs, perRowMs }] }).learn();
    for (let round = 0; round < 50; round++) {
      const request = simulation.submit();
      expect(simulation.outcome(request).startedMs).toBe(simulation.clock.nowMs());
      simulation.clock.advance(overheadMs + perRowMs + 1 + 20 * simulation.random());
    }
  });
});

describe('two pod classes', () => {
  test('under saturation the work is split as the classes can, within 10 %', () => {
    const simulation = new Simulation({ targets: [gpu, cpu] });
    closedLoop(simulation, 200);
    simulation.clock.advance(2_000);
    const from = simulation.runs.length;
    simulation.clock.advance(20_000);
    const rows = (podClass: string): number =>
      simulation.runs.slice(from).reduce((sum, run) => sum + (run.podClass === podClass ? run.rows : 0), 0);
    const count = (podClass: string): number => simulation.runs.slice(from).filter((run) => run.podClass === podClass).length;
    const gpuRows = rows('gpu') / count('gpu');
    const cpuRows = rows('cpu') / count('cpu');
    const gpuRate = gpuRows / (10 + 0.1 * gpuRows);
    const cpuRate = cpuRows / (1 + 20 * cpuRows);
    expect(rows('gpu') / rows('cpu') / (gpuRate / cpuRate)).toBeGreaterThan(0.9);
    expect(rows('gpu') / rows('cpu') / (gpuRate / cpuRate)).toBeLessThan(1.1);
    expect(gpuRows).toBeGreaterThan(30);
    expect(cpuRows).toBeLessThan(4);
  });

  test('below saturation the slow class runs only what it ends sooner', () => {
    const simulation = new Simulation({
      targets: [cpu, gpu].map((target) => ({ ...target, noise: 0 })),
    }).learn();
    let onCpu = 0;
    simulation.onRun = (batch, targets) => {
      if (batch.podClass !== 'cpu') return;
      onCpu += 1;
      const gpuFreeInMs = targets.find(({ id }) => id === 'gpu')?.freeInMs ?? 0;
      expect(1 + 20 * batch.rows).toBeLessThanOrEqual(gpuFreeInMs + 10.1 + 0.05);
    };
    const requests = openLoop(simulation, 0.05, 20_000);
    simulation.clock.advance(21_000);
    expect(requests.length).toBeGreaterThan(900);
    // E.g. a third request while the GPU runs one and holds one: 21 ms here, 13 + 10.1 there.
    expect(onCpu).toBeLessThan(0.03 * requests.length);
  });

  test('a hung fast target does not hold up the lane: the slow one takes over', () => {
    const simulation = new Simulation({ targets: [{ ...gpu, capacity: 1 }, cpu] }).learn();
    simulation.slowdown = 1e6;
    simulation.submit();
    simulation.slowdown = 1;
    simulation.clock.advance(5);
    const next = simulation.submit();
    simulation.clock.advance(100);
    expect(simulation.outcome(next).targetId).toBe('cpu');
    expect(simulation.latencyMs(next)).toBeLessThan(80);
  });

  test('two idle targets share rows that are costly, and keep together rows that are not', () => {
    const rowsOf = (overheadMs: number, perRowMs: number): number[] => {
      const targets = ['x', 'y'].map((id) => ({ id, podClass: 'p', overheadMs, perRowMs, capacity: 1 }));
      const simulation = new Simulation({ targets }).learn();
      simulation.setTargets([]);
      for (let i = 0; i < 8; i++) simulation.submit();
      simulation.setTargets(targets);
      return simulation.runs.map(({ rows }) => rows);
    };
    expect(rowsOf(0.5, 0.5)).toEqual([4, 4]);
    expect(rowsOf(10, 0.1)).toEqual([8]);
  });
});

describe('priority', () => {
  test('the lowest band is served under saturating load of the highest', () => {
    const agingMs = 100;
    for (const deadlineInMs of [Infinity, 60]) {
      const simulation = new Simulation({ targets: [gpu], limits: { agingMs, maxQueuedRows: 10_000 } }).learn();
      closedLoop(simulation, 100, 0.01, () => ({ band: 1, deadlineMs: simulation.clock.nowMs() + deadlineInMs }));
      simulation.clock.advance(500);
      const low = simulation.submit({ band: 4 });
      simulation.clock.advance(2_000);
      // Three promotions, one agingMs to be due, and the runs that are then before it.
      expect(simulation.latencyMs(low)).toBeLessThan(4 * agingMs + 5 * 13.2);
      expect(simulation.latencyMs(low)).toBeGreaterThan(2 * agingMs);
    }
  });

  test('a higher band goes before a lower one, whatever came first', () => {
    const simulation = new Simulation({ targets: [{ ...gpu, noise: 0, capacity: 1 }], limits: { maxBatchRows: 1 } }).learn();
    const names = [3, 2, 3, 1, 2].map((band) => simulation.submit({ band }));
    simulation.clock.advance(1_000);
    const order = names.toSorted((left, right) => (simulation.outcome(left).startedMs ?? 0) - (simulation.outcome(right).startedMs ?? 0));
    expect(order.map(({ band }) => band)).toEqual([3, 1, 2, 2, 3]);
  });

  test('bypass goes at once over capacity, but takes no more than its share of time', () => {
    const one: SimTarget = { id: 'one', podClass: 'cpu', overheadMs: 1, perRowMs: 4 };
    const simulation = new Simulation({ targets: [one], limits: { bypassMaxShare: 0.2, maxQueuedRows: 100_000 } }).learn();
    closedLoop(simulation, 64);
    simulation.clock.advance(1_000);
    const urgent = simulation.submit({ bypass: true, band: 1, mergeable: false });
    expect(simulation.outcome(urgent).runs).toBe(1);
    simulation.clock.advance(2_000);
    // Far more bypass than its share: the bucket of a second empties, then a fifth of the time goes on being theirs.
    let direct = 0;
    simulation.onRun = (batch, targets) => {
      if (batch.members[0]?.bypass === true && (targets[0]?.outstanding ?? 0) >= 2) direct += batch.predictedMs;
    };
    openLoop(simulation, 0.5, 10_000, () => ({ bypass: true, band: 1, mergeable: false }));
    simulation.clock.advance(10_000);
    expect(direct).toBeLessThan(0.2 * 10_000 + 200 + 10);
    expect(direct).toBeGreaterThan(0.5 * 0.2 * 10_000);
  });
});

describe('deadlines', () => {
  test('overload: what is answered is answered in time, and the target does little else', () => {
    const simulation = new Simulation({ targets: [{ ...gpu, noise: 0.02 }], limits: { maxQueuedRows: 100_000 } }).learn();
    // Twice of what it can do: 32 rows in 13.2 ms are 2.4 a millisecond.
    const requests = openLoop(simulation, 4.8, 3_000, () => ({ deadlineMs: simulation.clock.nowMs() + 60 }));
    simulation.clock.advance(4_000);
    const inTime = requests.filter((request) => simulation.latencyMs(request) <= 60).length;
    const late = requests.filter((request) => simulation.latencyMs(request) > 60 && simulation.latencyMs(request) < Infinity).length;
    expect(inTime / 3_000).toBeGreaterThan(0.85 * 2.4);
    expect(late).toBeLessThan(0.05 * inTime);
    for (const request of requests) {
      const { dropped, refused, finishedMs } = simulation.outcome(request);
      const why = refused?.reason === 'DEADLINE_UNREACHABLE' || dropped?.reason === 'DEADLINE_EXCEEDED';
      expect(finishedMs !== undefined || why).toBe(true);
    }
  });

  test('a prediction that is too high does not refuse for ever', () => {
    const simulation = new Simulation({ targets: [{ id: 'one', podClass: 'x', overheadMs: 5, perRowMs: 0.1 }] });
    for (let run = 0; run < 20; run++) simulation.costs.observe('model', 'x', 1, 5_000);
    const requests = openLoop(simulation, 0.01, 60_000, () => ({ deadlineMs: simulation.clock.nowMs() + 100 }));
    simulation.clock.advance(61_000);
    const late = requests.slice(-50);
    expect(late.filter((request) => simulation.latencyMs(request) < 100).length).toBeGreaterThan(45);
  });
});
