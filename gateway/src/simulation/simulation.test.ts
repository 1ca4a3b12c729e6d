import { afterEach, describe, expect, it } from 'vitest';
import { parseTable } from '../table/parse.js';
import type { Arrival } from './arrival.js';
import type { SimulatedBackend } from './fleet.js';
import { poisson } from './moments.js';
import { plainMix, requestsAt } from './mix.js';
import { randomStream } from './random.js';
import type { SimulationReport } from './report.js';
import { FileSource, MadeSource, runSimulation } from './run-simulation.js';
import { Simulation } from './simulation.js';
import type { SimulationOptions } from './simulation.js';

const opened: Simulation[] = [];
afterEach(() => {
  for (const simulation of opened.splice(0)) simulation.close();
});

function backend(
  more: Partial<SimulatedBackend> & { readonly a?: number; readonly k?: number; readonly scatter?: number } = {},
): SimulatedBackend {
  const { a = 10, k = 0, scatter = 0, ...rest } = more;
  return {
    name: 'b',
    podClass: 'default',
    instances: 1,
    cost: { overheadMs: a, perRowMs: k, scatter, networkMs: 0 },
    slow: [],
    lost: [],
    ...rest,
  };
}

function simulation(options: Partial<SimulationOptions> = {}, table: Record<string, unknown> = {}): Simulation {
  const parsed = parseTable(
    JSON.stringify({
      apiVersion: 'headrace.dev/v1alpha1',
      kind: 'RoutingTable',
      backends: [{ name: 'b', address: 'localhost:1' }],
      ...table,
    }),
    'test',
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal));
  const made = new Simulation({
    table: parsed.value,
    backends: [backend()],
    models: [{ name: 'm', maxBatchRows: 0, costFactor: 1 }],
    seed: 1,
    sloMs: Infinity,
    maxAttempts: 1,
    ...options,
  });
  opened.push(made);
  return made;
}

const at = (atMs: number, more: Partial<Arrival> = {}): Arrival => ({
  atMs,
  tenant: '',
  tier: undefined,
  priority: undefined,
  rows: 1,
  deadlineMs: Infinity,
  model: undefined,
  ...more,
});

function replay(made: Simulation, arrivals: Iterable<Arrival>): SimulationReport {
  for (const arrival of arrivals) made.arrive(arrival);
  made.finish();
  return made.report();
}

function* take(count: number, arrivals: Iterable<Arrival>): Generator<Arrival> {
  let left = count;
  for (const arrival of arrivals) {
    if (left-- <= 0) return;
    yield arrival;
  }
}

describe('against queueing theory', () => {
  // Pollaczek and Khinchine for a constant service time D: mean time in the system = D + rho D / (2 (1 - rho)).
  it.each([
    [0.5, 60_000],
    [0.8, 120_000],
  ])('one server of constant service time at a load of %d (M/D/1) has the closed form within 4 %%', { timeout: 60_000 }, (rho, count) => {
    const random = randomStream(11, 0);
    const report = replay(simulation(), take(count, requestsAt(poisson(rho * 100, random), plainMix, random)));
    const wanted = 10 + (rho * 10) / (2 * (1 - rho));
    expect(report.total.answered).toBe(count);
    expect(Math.abs((report.meanMs ?? 0) / wanted - 1)).toBeLessThan(0.04);
    expect(Math.abs((report.backends[0]?.utilisationPercent ?? 0) / (100 * rho) - 1)).toBeLessThan(0.02);
  });
});

describe('the same input', () => {
  const run = (seed: number): string => {
    const made = simulation(
      {
        backends: [
          backend({ a: 2, k: 0.3, scatter: 0.3, lost: [{ fromMs: 2000, untilMs: 3000 }] }),
          backend({ name: 'c', a: 2, k: 0.3, slow: [{ fromMs: 1000, untilMs: 2000, factor: 4 }] }),
        ],
        models: [{ name: 'm', maxBatchRows: 16, costFactor: 1 }],
        seed,
        maxAttempts: 3,
      },
      {
        backends: [
          { name: 'b', address: 'localhost:1' },
          { name: 'c', address: 'localhost:2' },
        ],
      },
    );
    const random = randomStream(seed, 0);
    const mix = {
      ...plainMix,
      deadlinesMs: [
        { value: 20, weight: 1 },
        { value: 200, weight: 1 },
      ],
      tenants: [
        { value: 'a', weight: 2 },
        { value: 'b', weight: 1 },
      ],
    };
    return JSON.stringify(replay(made, take(10_000, requestsAt(poisson(3000, random), mix, random))));
  };

  it('gives the same report to the byte, with losses, slowness, scatter and retries; another seed gives another', async () => {
    const first = run(5);
    // Whatever the machine does in between.
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(run(5)).toBe(first);
    expect(run(6)).not.toBe(first);
    const report = JSON.parse(first) as SimulationReport;
    expect(report.total.offered).toBe(report.total.answered + report.total.refused);
    expect(report.total.refused).toBeGreaterThan(0);
  });
});

describe('the production pipeline', () => {
  it('sees what comes at one moment together: one batch', () => {
    const made = simulation({ backends: [backend({ a: 5, k: 1 })], models: [{ name: 'm', maxBatchRows: 8, costFactor: 1 }] });
    const report = replay(made, [at(0), at(0), at(0), at(0)]);
    expect(report.backends[0]).toMatchObject({ runs: 1, rows: 4 });
    expect(report.maxMs).toBe(9);
  });

  it('refuses what the queue cannot hold and says when to come; who waits so long and comes again gets in', () => {
    const table = { defaults: { batching: { maxQueuedRows: 4 } } };
    const burst = Array.from({ length: 12 }, () => at(0, { deadlineMs: 5000 }));
    const once = replay(simulation({}, table), burst);
    expect(once.total).toMatchObject({ offered: 12, refused: once.retries.toldToWait });
    expect(once.refusedByReason.QUEUE_FULL).toBeGreaterThan(0);
    expect(once.retries.sent).toBe(0);
    const again = replay(simulation({ maxAttempts: 20 }, table), burst);
    expect(again.total).toMatchObject({ answered: 12, refused: 0 });
    expect(again.retries.sent).toBeGreaterThanOrEqual(again.retries.gotIn);
    expect(again.retries.gotIn).toBeGreaterThan(0);
  });

  it('does not send a client again whose deadline is before the time it was told', () => {
    // One runs, one is staged, eight of 10 ms each wait: nobody is told to come within 5 ms.
    const burst = [...Array.from({ length: 10 }, (_, index) => at(index / 100)), at(1, { deadlineMs: 5 }), at(1, { deadlineMs: 5 })];
    const report = replay(simulation({ maxAttempts: 5 }, { defaults: { batching: { maxQueuedRows: 8 } } }), burst);
    expect(report.refusedByReason).toEqual({ QUEUE_FULL: 2 });
    expect(report.retries).toEqual({ toldToWait: 2, sent: 0, gotIn: 0 });
  });

  it('ends a request at its deadline', () => {
    const report = replay(simulation({ maxAttempts: 5 }), [at(0), at(0), at(0), at(1, { deadlineMs: 12 })]);
    expect(report.total).toMatchObject({ answered: 3, refused: 1 });
    expect(report.refusedByReason).toEqual({ DEADLINE_EXCEEDED: 1 });
  });

  it('loses what a backend ran when it dies, has it run elsewhere, and uses it again when it is back', () => {
    const made = simulation(
      { backends: [backend({ lost: [{ fromMs: 5, untilMs: 500 }] }), backend({ name: 'c' })] },
      {
        backends: [
          { name: 'b', address: 'localhost:1' },
          { name: 'c', address: 'localhost:2' },
        ],
      },
    );
    const busy = Array.from({ length: 100 }, (_, index) => at(2000 + index));
    const report = replay(made, [at(0), at(0), ...busy]);
    expect(report.total).toMatchObject({ answered: 102, refused: 0 });
    const runs = new Map(report.backends.map((each) => [each.name, each.runs]));
    expect(runs.get('b')).toBeGreaterThan(20);
    // The run that died counts as begun.
    expect([...runs.values()].reduce((sum, each) => sum + each, 0)).toBe(103);
  });

  it('refuses all while every backend is lost', () => {
    const report = replay(simulation({ backends: [backend({ lost: [{ fromMs: 0, untilMs: Infinity }] })] }), [at(10), at(20)]);
    expect(report.refusedByReason).toEqual({ NO_BACKEND: 2 });
  });

  it('takes as long as the network and a slow backend make it', () => {
    const slow = backend({ a: 10, slow: [{ fromMs: 100, untilMs: 200, factor: 3 }] });
    const far = { ...slow, cost: { ...slow.cost, networkMs: 4 } };
    const report = replay(simulation({ backends: [far] }), [at(0), at(110)]);
    expect(report.total.p50Ms).toBeCloseTo(14, 0);
    expect(report.maxMs).toBeCloseTo(34, 6);
  });

  it('tells a client of an unknown model so', () => {
    expect(replay(simulation(), [at(0, { model: 'nobody' })]).refusedByReason).toEqual({ MODEL_NOT_FOUND: 1 });
  });
});

describe('a run over sources', () => {
  const plan = { durationMs: Infinity, pause: () => Promise.resolve(), stopped: () => false };
  async function* pieces(...texts: readonly string[]): AsyncGenerator<string> {
    yield* texts;
  }

  it('joins made traces and files by time, and ends where it is told', async () => {
    const made = simulation();
    const file = new FileSource(pieces('timeMs,ten', 'ant\n0,file\n100', ',file\n900,file\n'), randomStream(1, 0));
    await runSimulation(made, [new MadeSource([at(50, { tenant: 'made' }), at(950, { tenant: 'made' })]), file], {
      ...plan,
      durationMs: 500,
    });
    expect(made.report()).toMatchObject({
      complete: true,
      elapsedMs: 500,
      byTenant: [
        { name: 'file', offered: 2 },
        { name: 'made', offered: 1 },
      ],
    });
  });

  it('stops where it is when it is asked to, in a quiet stretch too', async () => {
    const made = simulation();
    let asked = 0;
    await runSimulation(made, [new MadeSource([at(0), at(36_000_000)])], { ...plan, stopped: () => ++asked > 2 });
    const report = made.report();
    expect(report.complete).toBe(false);
    expect(report.total).toMatchObject({ offered: 1, answered: 1 });
    expect(report.elapsedMs).toBeLessThan(10_000_000);
  });

  it('tells of a bad line, after what came before it', async () => {
    const made = simulation();
    const file = new FileSource(pieces('timeMs\n0\n', 'x\n'), randomStream(1, 0));
    await expect(runSimulation(made, [file], plan)).rejects.toThrow('line 3: timeMs: expected a number');
    expect(made.report().total.offered).toBe(1);
  });
});
