import { describe, expect, test } from 'vitest';
import { Simulation, openLoop, persistentLoop } from './testing/index.js';
import type { SimRequest, SimTarget } from './testing/index.js';

const gpu: SimTarget = { id: 'gpu', podClass: 'gpu', overheadMs: 10, perRowMs: 0.5, capacity: 1 };
const fullMs = 10 + 0.5 * 32;
const capacity = 32 / fullMs;

/** Runs one request first: predictions count only while runs are recent. */
function warm(simulation: Simulation): Simulation {
  simulation.learn().submit();
  simulation.clock.advance(10.5);
  return simulation;
}

function inMs(simulation: Simulation, ms: number, more: Partial<SimRequest> = {}): SimRequest {
  return simulation.submit({ deadlineMs: simulation.clock.nowMs() + ms, ...more });
}

describe('on arrival', () => {
  test('what cannot end in time is refused, with what it would take', () => {
    const simulation = warm(new Simulation({ targets: [gpu] }));
    const requests = Array.from({ length: 100 }, () => inMs(simulation, 60));
    // One runs (until 10.5 ms), then 32 (until 36.5); the next batch would end at 62.5 ms if it fills, and does with 26 or more.
    const refused = requests.filter((request) => simulation.outcome(request).refused !== undefined);
    expect(refused.length).toBeGreaterThanOrEqual(100 - 33 - 26);
    expect(refused.length).toBeLessThanOrEqual(100 - 33 - 20);
    expect(simulation.outcome(requests.at(-1) ?? inMs(simulation, 60)).refused).toMatchObject({
      reason: 'DEADLINE_UNREACHABLE',
      message: expect.stringMatching(/^deadline: expected at least a wait of \d+\.\d ms and a run of \d+\.\d ms, got 60\.0 ms$/) as string,
    });
    expect(simulation.outcome(inMs(simulation, 200)).refused).toBeUndefined();
    simulation.clock.advance(500);
    const late = requests.filter((request) => !refused.includes(request) && simulation.latencyMs(request) > 60);
    expect(late).toEqual([]);
  });

  test('a deadline shorter than a run alone is told no time to come back: there is none', () => {
    const simulation = warm(new Simulation({ targets: [gpu] }));
    const { refused } = simulation.outcome(inMs(simulation, 5));
    expect(refused?.reason).toBe('DEADLINE_UNREACHABLE');
    expect(refused?.retryAfterMs).toBeUndefined();
  });

  test('what has expired is DEADLINE_EXCEEDED', () => {
    expect(warmOutcome(0)).toBe('DEADLINE_EXCEEDED');
    expect(warmOutcome(-5)).toBe('DEADLINE_EXCEEDED');
  });

  test('a higher band does not wait for what is below it', () => {
    const simulation = warm(new Simulation({ targets: [gpu] }));
    for (let i = 0; i < 100; i++) inMs(simulation, 60, { band: 3 });
    expect(simulation.outcome(inMs(simulation, 60, { band: 3 })).refused?.reason).toBe('DEADLINE_UNREACHABLE');
    expect(simulation.outcome(inMs(simulation, 60, { band: 1 })).refused).toBeUndefined();
  });

  test.each<[string, () => Simulation]>([
    ['nothing has run yet', () => new Simulation({ targets: [gpu] })],
    ['only one size has run', () => new Simulation({ targets: [gpu] }).learn([8])],
    [
      'the last run is long ago',
      () => {
        const simulation = warm(new Simulation({ targets: [gpu] }));
        simulation.clock.advance(5_000);
        return simulation;
      },
    ],
  ])('refuses nobody while %s', (_, make) => {
    const simulation = make();
    for (let i = 0; i < 100; i++) simulation.submit();
    expect(simulation.outcome(inMs(simulation, 1)).refused).toBeUndefined();
    expect(simulation.batcher.estimate(simulation.submit())).toBeUndefined();
  });

  test('estimate says when such a request would start and end', () => {
    const simulation = warm(new Simulation({ targets: [gpu] }));
    for (let i = 0; i < 33; i++) simulation.submit();
    const request = simulation.submit({ name: 'last' });
    const estimate = simulation.batcher.estimate(request);
    simulation.clock.advance(200);
    const { startedMs = 0, submittedMs } = simulation.outcome(request);
    expect(Math.abs((estimate?.startInMs ?? 0) - (startedMs - submittedMs))).toBeLessThan(2);
  });
});

function warmOutcome(ms: number): string | undefined {
  const simulation = warm(new Simulation({ targets: [gpu] }));
  return simulation.outcome(inMs(simulation, ms)).refused?.reason;
}

describe('until a run starts', () => {
  test('nothing runs for a caller whose deadline has passed, or who has gone', () => {
    const simulation = new Simulation({ targets: [{ ...gpu, noise: 0.3 }] });
    const gone = new Set<SimRequest>();
    simulation.onRun = (batch) => {
      for (const member of batch.members) expect([member.deadlineMs > simulation.clock.nowMs(), gone.has(member)]).toEqual([true, false]);
    };
    const requests = openLoop(simulation, 2 * capacity, 1_500, () => {
      if (simulation.random() < 0.3) {
        const request = requests[Math.floor(simulation.random() * requests.length)];
        if (request !== undefined && simulation.batcher.cancel(request)) gone.add(request);
      }
      return { deadlineMs: simulation.clock.nowMs() + 20 + 200 * simulation.random() };
    });
    simulation.clock.advance(3_000);
    expect(gone.size).toBeGreaterThan(100);
    expect(simulation.runs.length).toBeGreaterThan(50);
  });
});

describe('under overload it is refused on arrival, and not when it has waited', () => {
  // As the gateway has them: one runs, one is staged.
  const staged: SimTarget = { ...gpu, capacity: 2 };
  const timer: SimTarget = { id: 'timer', podClass: 'cpu', overheadMs: 10, perRowMs: 1 };
  const core = (id: string): SimTarget => ({ id, podClass: 'core', overheadMs: 4, perRowMs: 18, noise: 0.1 });
  const tenth = [1, 3, 3, 3, 3, 3, 3, 3, 3, 3];
  const cases: [string, number, SimTarget[], number[], number[], number, number][] = [];
  for (const load of [1.5, 2]) {
    cases.push([`${load}x, a tenth of high priority`, load, [timer], tenth, [210], 0.94, 0.02]);
    cases.push([`${load}x, a fifth of high priority and three bands`, load, [staged], [1, 2, 2, 2, 3], [200], 0.9, 0.02]);
    cases.push([`${load}x, deadlines of 80 to 400 ms`, load, [staged], tenth, [80, 150, 400], 0.94, 0.02]);
    cases.push([`${load}x, four targets`, load, ['a', 'b', 'c', 'd'].map((id) => ({ ...staged, id })), tenth, [200], 0.96, 0.02]);
    cases.push([`${load}x, slow rows`, load, ['a', 'b'].map(core), tenth, [2_000], 0.9, 0.04]);
  }
  test.each(cases)('%s', (_, load, targets, bands, budgetsMs, least, mostLate) => {
    const simulation = new Simulation({ targets }).learn();
    const { random, clock } = simulation;
    const any = (values: readonly number[]): number => values[Math.floor(random() * values.length)] ?? NaN;
    const rate = targets.reduce((sum, { overheadMs, perRowMs }) => sum + 32 / (overheadMs + 32 * perRowMs), 0);
    const forMs = budgetsMs[0] === 2_000 ? 24_000 : 6_000;
    const requests = openLoop(simulation, load * rate, forMs, () => {
      const band = any(bands);
      return { band, bypass: band === 1, deadlineMs: clock.nowMs() + any(budgetsMs) };
    });
    clock.advance(forMs + 3_000);
    let good = 0;
    const settledMs = forMs / 4;
    for (const band of new Set(bands)) {
      const ofBand = requests.filter((request) => request.band === band && request.arrivedMs >= settledMs);
      const admitted = ofBand.filter((request) => simulation.outcome(request).refused === undefined);
      const inTime = admitted.filter((request) => simulation.latencyMs(request) <= request.deadlineMs - request.arrivedMs).length;
      good += inTime;
      expect(inTime / ofBand.length).toBeGreaterThanOrEqual(band === 1 ? 0.99 : 0);
      // Of a band that the others leave nothing to a handful may be in, or not.
      expect(admitted.length - inTime).toBeLessThanOrEqual(Math.max(mostLate * admitted.length, 0.005 * ofBand.length));
    }
    expect(good / (forMs - settledMs) / rate).toBeGreaterThan(least);
  });
});

describe('whoever comes back at the time told gets in, and the target is kept busy all the while', () => {
  const cases: [string, number, number, number, number][] = [];
  for (const load of [1.2, 2, 3]) {
    cases.push([`${load}x, deadlines of 150 ms`, load, 150, 4096, 1]);
    cases.push([`${load}x, deadlines of 400 ms, half give up`, load, 400, 4096, 0.5]);
    cases.push([`${load}x, a queue of 128`, load, Infinity, 128, 1]);
  }
  test.each(cases)('%s', (_, load, budgetMs, maxQueuedRows, share) => {
    const simulation = new Simulation({ targets: [{ ...gpu, noise: 0.05 }], limits: { maxQueuedRows } }).learn();
    const make = (): Partial<SimRequest> => ({ deadlineMs: simulation.clock.nowMs() + budgetMs });
    const { requests, persistence } = persistentLoop(simulation, load * capacity, 1_000, make, { share });
    simulation.clock.advance(12_000);
    const { returned, taken } = persistence;
    expect(taken).toBeGreaterThanOrEqual(0.95 * returned - 1);
    expect(returned).toBeGreaterThanOrEqual(load > 1.5 ? 300 : 0);
    const accepted = requests.filter((request) => simulation.outcome(request).refused === undefined);
    const inTime = accepted.filter((request) => simulation.latencyMs(request) <= budgetMs);
    expect(inTime.length).toBeGreaterThan(0.97 * accepted.length);
    const busyMs = simulation.runs.reduce((sum, { startedMs, runMs }) => sum + (startedMs < 1_000 ? runMs : 0), 0);
    expect(busyMs / 1_000).toBeGreaterThan(0.93);
  });
});
