import { statusCode } from '@headrace/runtime';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { parseTable } from '../table/parse.js';
import { readReply } from '../testing/requests.js';
import type { StandInModel } from '../testing/stand-in-engine.js';
import { Timeline } from '../testing/timeline.js';
import type { Sent } from '../testing/timeline.js';

// Minutes of virtual time: how long they take here depends on the machine and is not what is tested.
vi.setConfig({ testTimeout: 120_000 });

const opened: Timeline[] = [];
afterEach(() => {
  for (const timeline of opened.splice(0)) void timeline.pipeline.close();
});

type Fleet = Readonly<Record<string, { readonly podClass?: string; readonly model: StandInModel }>>;

function fleet(backends: Fleet, rest: Record<string, unknown> = {}): Timeline {
  const specs = Object.entries(backends).map(([name, { podClass }], i) => ({
    name,
    address: `127.0.0.1:${9000 + i}`,
    podClass: podClass ?? 'cpu',
  }));
  const table = {
    apiVersion: 'headrace.dev/v1alpha1',
    kind: 'RoutingTable',
    backends: specs,
    routing: { slowStartMs: 0, breaker: { minRuns: 10_000 } },
    ...rest,
  };
  const parsed = parseTable(JSON.stringify(table), 'test');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal));
  const made = new Timeline(parsed.value, Object.fromEntries(Object.entries(backends).map(([name, { model }]) => [name, [model]])));
  opened.push(made);
  return made;
}

const m = (more: Partial<StandInModel> = {}): StandInModel => ({ name: 'm', maxBatchRows: 32, overheadMs: 10, perRowMs: 1, ...more });
const reason = (sent: Sent | undefined): string | undefined =>
  sent?.outcome === undefined ? 'under way' : sent.outcome.ok ? 'OK' : sent.outcome.refusal.reason;
const rowsOf = (line: Timeline, backend: string): number => line.engine(backend).runs.reduce((sum, { rows }) => sum + rows, 0);

/** `clients` callers, each with one request under way, for so long. Answers how many came back well. */
function closedLoop(line: Timeline, clients: number, forMs: number, deadlineInMs = Infinity): number {
  const flying = new Set<Sent>();
  let answered = 0;
  for (let elapsedMs = 0; elapsedMs < forMs; elapsedMs += 1) {
    for (const sent of flying) {
      if (sent.outcome === undefined) continue;
      flying.delete(sent);
      if (sent.outcome.ok) answered += 1;
    }
    while (flying.size < clients) flying.add(line.send({ model: 'm', values: [1n] }, deadlineInMs));
    line.clock.advance(1);
  }
  for (const sent of flying) sent.cancel();
  return answered;
}

describe('two pod classes in one table', () => {
  // gpu: t(32) = 26.4 ms => 1212 rows/s, t(1) = 20.2 ms.  cpu: t(1) = 5 ms, t(32) = 129 ms => at best 248 rows/s.
  const gpu = { podClass: 'gpu', model: m({ overheadMs: 20, perRowMs: 0.2 }) };
  const cpu = { podClass: 'cpu', model: m({ overheadMs: 1, perRowMs: 4 }) };

  it('splits saturating work within 10 % of the ideal, batch sizes following the class', () => {
    const line = fleet({ g: gpu, c: cpu });
    closedLoop(line, 128, 1500);
    for (const backend of ['g', 'c']) line.engine(backend).runs.length = 0;
    const answered = closedLoop(line, 128, 4000);
    const [gpuRows, cpuRows] = [rowsOf(line, 'g'), rowsOf(line, 'c')];
    const ideal = 1212 / (1212 + 240);
    expect(answered).toBeGreaterThan(0.9 * (1212 + 240) * 4);
    expect(Math.abs(gpuRows / (gpuRows + cpuRows) - ideal)).toBeLessThan(0.1 * (1 - ideal));
    const mean = (backend: string): number => rowsOf(line, backend) / line.engine(backend).runs.length;
    expect(mean('g')).toBeGreaterThan(28);
    expect(mean('c')).toBeLessThan(12);
  });

  it('uses the class that is slow for one request only when it finishes sooner', () => {
    const line = fleet({ g: gpu, c: cpu });
    closedLoop(line, 64, 3000);
    line.clock.advance(1000);
    for (const backend of ['g', 'c']) line.engine(backend).runs.length = 0;
    // One at a time: t(1) is 5 ms on cpu and 20 ms on gpu.
    for (let i = 0; i < 20; i++) {
      const sent = line.send({ model: 'm', values: [1n] });
      line.clock.advance(200);
      expect(sent.doneAtMs - line.clock.nowMs()).toBeLessThan(-150);
    }
    expect([rowsOf(line, 'g'), rowsOf(line, 'c')]).toEqual([0, 20]);
    // Sixteen rows in one request: 65 ms on cpu, 23 ms on gpu.
    for (let i = 0; i < 5; i++) {
      line.send({ model: 'm', values: Array.from({ length: 16 }, () => 1n) });
      line.clock.advance(200);
    }
    expect([rowsOf(line, 'g'), rowsOf(line, 'c')]).toEqual([80, 20]);
  });
});

describe('a lost backend', () => {
  it('has its requests run once more elsewhere, at once', () => {
    const line = fleet({ a: { model: m() }, b: { model: m() } });
    const sent = Array.from({ length: 40 }, (_, i) => line.send({ model: 'm', values: [BigInt(i)] }));
    line.clock.advance(3);
    expect(line.engine('a').received).toBeGreaterThan(0);
    line.cut('a');
    line.clock.advance(2000);
    sent.forEach((each, i) => expect(each.outcome?.ok === true && readReply(each.outcome.message).values).toEqual([BigInt(i)]));
  });

  it('is left alone by retries even before discovery has heard of it', () => {
    const line = fleet({ a: { model: m() }, b: { model: m() } });
    const sent = [line.send({ model: 'm', values: [1n] }), line.send({ model: 'm', values: [2n] })];
    line.cut('a', false);
    line.clock.advance(1000);
    expect(sent.map(reason)).toEqual(['OK', 'OK']);
    expect(line.suspected).toContain('a');
  });

  it('costs the requests of a model that is not idempotent: UNAVAILABLE, and no second run', () => {
    const line = fleet({ a: { model: m() }, b: { model: m() } }, { defaults: { idempotent: false } });
    const sent = [line.send({ model: 'm', values: [1n] }), line.send({ model: 'm', values: [2n] })];
    const received = line.engine('a').received + line.engine('b').received;
    line.cut('a');
    line.cut('b');
    line.clock.advance(1000);
    expect(sent.map(reason)).toEqual(['BACKEND_LOST', 'BACKEND_LOST']);
    expect(sent[0]?.outcome).toMatchObject({ refusal: { code: statusCode.UNAVAILABLE } });
    expect(line.engine('a').received + line.engine('b').received).toBe(received);
  });

  it('answers all at once when it was the only one, and refuses new requests as UNAVAILABLE', () => {
    const line = fleet({ a: { model: m({ maxBatchRows: 0 }) } });
    const sent = Array.from({ length: 10 }, (_, i) => line.send({ model: 'm', values: [BigInt(i)] }));
    line.clock.advance(1);
    line.cut('a');
    line.clock.advance(1);
    expect(sent.map(reason)).not.toContain('under way');
    expect(sent.every((each) => each.outcome?.ok === false && each.outcome.refusal.code === statusCode.UNAVAILABLE)).toBe(true);
    expect(reason(line.send({ model: 'm', values: [1n] }))).toBe('NO_BACKEND');
    line.restore('a');
    const again = line.send({ model: 'm', values: [1n] });
    line.clock.advance(1000);
    expect(reason(again)).toBe('OK');
  });

  it('cannot take more retries than the budget allows', () => {
    const line = fleet(
      { a: { model: m({ maxBatchRows: 0, instances: 20 }) }, b: { model: m({ maxBatchRows: 0, instances: 20 }) } },
      {
        routing: { slowStartMs: 0, retryBudget: { percent: 0, minPerSecond: 1 }, breaker: { minRuns: 10_000 } },
      },
    );
    const sent = Array.from({ length: 80 }, (_, i) => line.send({ model: 'm', values: [BigInt(i)] }));
    line.clock.advance(1);
    const lost = line.engine('a').received;
    expect(lost).toBeGreaterThan(20);
    line.cut('a');
    line.clock.advance(5000);
    // 10 seconds' worth of 1 a second.
    expect(sent.filter((each) => reason(each) === 'OK')).toHaveLength(80 - lost + 10);
    expect(sent.filter((each) => reason(each) === 'BACKEND_LOST')).toHaveLength(lost - 10);
  });

  it('gets a growing share when it is back, not everything at once', () => {
    const line = fleet({ a: { model: m() }, b: { model: m() } }, { routing: { slowStartMs: 4000, breaker: { minRuns: 10_000 } } });
    closedLoop(line, 16, 1000);
    line.cut('a');
    closedLoop(line, 16, 500);
    line.restore('a');
    line.engine('a').runs.length = 0;
    line.engine('b').runs.length = 0;
    closedLoop(line, 16, 1000);
    const early = rowsOf(line, 'a') / (rowsOf(line, 'a') + rowsOf(line, 'b'));
    closedLoop(line, 16, 4000);
    line.engine('a').runs.length = 0;
    line.engine('b').runs.length = 0;
    closedLoop(line, 16, 2000);
    const late = rowsOf(line, 'a') / (rowsOf(line, 'a') + rowsOf(line, 'b'));
    expect(early).toBeLessThan(0.45);
    expect(late).toBeGreaterThan(0.45);
  });
});

describe('a slow backend', () => {
  it('is set aside, and comes back by probes when it is well again', () => {
    const line = fleet(
      { a: { model: m() }, b: { model: m() } },
      { routing: { slowStartMs: 0, outlier: { ejectMs: 3000 }, breaker: { minRuns: 10_000 } } },
    );
    closedLoop(line, 16, 2000);
    expect(line.pipeline.router.standing('a')).toBe('steady');
    line.engine('a').slowness = 20;
    closedLoop(line, 16, 2500);
    expect(line.pipeline.router.standing('a')).toBe('ejected');
    const received = line.engine('a').received;
    closedLoop(line, 16, 1000);
    expect(line.engine('a').received).toBe(received);
    line.engine('a').slowness = 1;
    closedLoop(line, 16, 5000);
    expect(line.pipeline.router.standing('a')).toBe('steady');
    expect(line.engine('a').received).toBeGreaterThan(received);
  });

  it('is set aside for longer when a probe finds it slow still', () => {
    const line = fleet(
      { a: { model: m() }, b: { model: m() } },
      { routing: { slowStartMs: 0, outlier: { ejectMs: 1000 }, breaker: { minRuns: 10_000 } } },
    );
    closedLoop(line, 16, 2000);
    line.engine('a').slowness = 20;
    closedLoop(line, 16, 12_000);
    // Without doubling about 12 probes would have gone there; with it 1 + 2 + 4 + ... seconds pass between them.
    line.engine('a').runs.length = 0;
    closedLoop(line, 16, 10_000);
    expect(line.engine('a').runs.length).toBeLessThan(4);
  });

  it('is noticed even when every caller gives up before it answers', () => {
    const line = fleet({ a: { model: m() }, b: { model: m() } });
    closedLoop(line, 16, 2000);
    line.engine('a').slowness = 1000;
    closedLoop(line, 16, 900, 150);
    expect(line.pipeline.router.standing('a')).toBe('ejected');
  });

  it('is noticed when it hangs and answers nothing at all', () => {
    const line = fleet({ a: { model: m() }, b: { model: m() } });
    closedLoop(line, 16, 2000);
    line.engine('a').hanging = true;
    closedLoop(line, 16, 3000);
    expect(line.pipeline.router.standing('a')).toBe('ejected');
  });

  it('stays when all are equally slow: that is load', () => {
    const line = fleet({ a: { model: m() }, b: { model: m() } });
    closedLoop(line, 16, 2000);
    line.engine('a').slowness = 20;
    line.engine('b').slowness = 20;
    closedLoop(line, 16, 6000);
    expect([line.pipeline.router.standing('a'), line.pipeline.router.standing('b')]).toEqual(['steady', 'steady']);
  });
});

describe('sequences', () => {
  const of = (
    id: bigint | string,
    more: Record<string, boolean> = {},
  ): { model: string; values: bigint[]; parameters: Record<string, bigint | string | boolean> } => ({
    model: 'm',
    values: [1n],
    parameters: { sequence_id: id, ...more },
  });

  it('stay on one backend and are never merged', () => {
    const line = fleet({ a: { model: m() }, b: { model: m() } });
    const first = line.send(of(5n, { sequence_start: true }));
    line.clock.advance(100);
    const home = line.engine('a').received === 1 ? 'a' : 'b';
    const rest = Array.from({ length: 10 }, () => line.send(of(5n)));
    line.clock.advance(1000);
    expect([first, ...rest].map(reason)).toEqual(Array(11).fill('OK'));
    expect(line.engine(home).runs.map(({ rows }) => rows)).toEqual(Array(11).fill(1));
  });

  it('are told when their backend was lost, and may begin again elsewhere', () => {
    const line = fleet({ a: { model: m() }, b: { model: m() } });
    line.send(of('s', { sequence_start: true }));
    line.clock.advance(100);
    const home = line.engine('a').received === 1 ? 'a' : 'b';
    const running = line.send(of('s'));
    const waiting = [line.send(of('s')), line.send(of('s'))];
    line.cut(home);
    line.clock.advance(100);
    expect([running, ...waiting].map(reason)).toEqual(Array(3).fill('BACKEND_LOST'));
    expect(reason(line.send(of('s')))).toBe('BACKEND_LOST');
    const again = line.send(of('s', { sequence_start: true }));
    line.clock.advance(100);
    expect(reason(again)).toBe('OK');
  });
});

describe('circuit breaker', () => {
  it('keeps requests from a backend that fails them', async () => {
    const line = fleet(
      { a: { model: m() }, b: { model: m() } },
      { routing: { slowStartMs: 0, breaker: { minRuns: 5, errorPercent: 50 } } },
    );
    line.engine('a').failures.push(...Array.from({ length: 500 }, () => ({ code: statusCode.INTERNAL, message: 'broken' })));
    for (let i = 0; i < 40; i++) {
      line.send({ model: 'm', values: [1n] });
      line.send({ model: 'm', values: [1n] });
      line.clock.advance(100);
      // opossum counts in promises.
      await Promise.resolve().then(() => {});
    }
    expect(line.pipeline.router.breaker('a')).toBe('open');
    const received = line.engine('a').received;
    const sent = Array.from({ length: 20 }, () => line.send({ model: 'm', values: [1n] }));
    line.clock.advance(1000);
    expect(sent.map(reason)).toEqual(Array(20).fill('OK'));
    expect(line.engine('a').received).toBe(received);
  });
});
