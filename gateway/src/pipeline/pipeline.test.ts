import { statusCode } from '@headrace/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import { parseTable } from '../table/parse.js';
import { readReply } from '../testing/requests.js';
import type { StandInModel } from '../testing/stand-in-engine.js';
import { Timeline } from '../testing/timeline.js';
import type { Sent } from '../testing/timeline.js';

const opened: Timeline[] = [];
afterEach(() => {
  for (const timeline of opened.splice(0)) void timeline.pipeline.close();
});

function timeline(models: Readonly<Record<string, readonly StandInModel[]>>, rest: Record<string, unknown> = {}): Timeline {
  const backends = Object.keys(models).map((name, i) => ({ name, address: `127.0.0.1:${9000 + i}` }));
  const table = {
    apiVersion: 'headrace.dev/v1alpha1',
    kind: 'RoutingTable',
    backends,
    routing: { slowStartMs: 0, breaker: { minRuns: 1000 } },
    ...rest,
  };
  const parsed = parseTable(JSON.stringify(table), 'test');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.refusal));
  const made = new Timeline(parsed.value, models);
  opened.push(made);
  return made;
}

/** Identifies the cost before the test proper: runs of one row and of several. */
function warm(line: Timeline, model = 'm'): void {
  for (let round = 0; round < 30; round++) {
    for (let i = 0; i <= round % 5; i++) line.send({ model, values: [BigInt(i)] });
    line.clock.advance(1000);
  }
  for (const { runs } of [line.engine('a')]) runs.length = 0;
}

const values = (sent: Sent): readonly bigint[] => {
  if (sent.outcome?.ok !== true) throw new Error(`expected a reply, got ${JSON.stringify(sent.outcome)}`);
  return readReply(sent.outcome.message).values;
};
const reason = (sent: Sent): string | undefined =>
  sent.outcome === undefined ? 'under way' : sent.outcome.ok ? 'OK' : sent.outcome.refusal.reason;
const m = (more: Partial<StandInModel> = {}): StandInModel => ({ name: 'm', maxBatchRows: 8, overheadMs: 10, perRowMs: 1, ...more });

describe('one backend', () => {
  it('forwards a lone request as it came, byte for byte, parameters and all', () => {
    const line = timeline({ a: [m()] });
    const sent = line.send({ model: 'm', id: 'one', values: [7n], parameters: { priority: 2n, timeout: 9_000_000n, colour: 'red' } });
    const bytes = line.engine('a').runs[0]?.bytes;
    line.clock.advance(100);
    expect(values(sent)).toEqual([7n]);
    expect(bytes?.includes('colour')).toBe(true);
    expect(bytes?.includes('timeout')).toBe(true);
    expect(sent.outcome?.ok === true && readReply(sent.outcome.message).id).toBe('one');
  });

  it('merges what waits and gives everyone his own rows back', () => {
    const line = timeline({ a: [m()] });
    warm(line);
    const sent = Array.from({ length: 9 }, (_, i) =>
      line.send({ model: 'm', id: `r${i}`, values: i % 2 === 0 ? [BigInt(i)] : [BigInt(i), BigInt(i + 100)] }),
    );
    line.clock.advance(1000);
    sent.forEach((each, i) => expect(values(each)).toEqual(i % 2 === 0 ? [BigInt(i)] : [BigInt(i), BigInt(i + 100)]));
    expect(sent.map((each) => each.outcome?.ok === true && readReply(each.outcome.message).id)).toEqual(sent.map((_, i) => `r${i}`));
    expect(line.engine('a').runs.length).toBeLessThan(5);
    expect(Math.max(...line.engine('a').runs.map(({ rows }) => rows))).toBeGreaterThan(4);
  });

  it('keeps at most one run running and one staged per instance', () => {
    const line = timeline({ a: [m({ maxBatchRows: 0 })] });
    for (let i = 0; i < 20; i++) line.send({ model: 'm', values: [BigInt(i)] });
    expect(line.engine('a').received).toBeLessThanOrEqual(2);
    line.clock.advance(1000);
    expect(line.engine('a').received).toBe(20);
  });

  it('never merges a model that declares no batching', () => {
    const line = timeline({ a: [m({ maxBatchRows: 0 })] });
    const sent = Array.from({ length: 6 }, (_, i) => line.send({ model: 'm', values: [BigInt(i)] }));
    line.clock.advance(1000);
    expect(sent.map(reason)).toEqual(Array(6).fill('OK'));
    expect(line.engine('a').runs.map(({ rows }) => rows)).toEqual(Array(6).fill(1));
  });

  it('sends a request that does not match the metadata alone, so that it spoils nobody', () => {
    const line = timeline({ a: [m({ inputs: [{ name: 'x', datatype: 'INT64', shape: [-1, 1] }] })] });
    line.changeModel('a', 'm', {
      signature: { inputs: [{ name: 'x', datatype: 'INT32', shape: [-1, 1], optional: false }], outputs: ['x_out'] },
    });
    warm(line);
    const sent = Array.from({ length: 6 }, (_, i) => line.send({ model: 'm', values: [BigInt(i)] }));
    line.clock.advance(1000);
    expect(sent.map(reason)).toEqual(Array(6).fill('OK'));
    expect(line.engine('a').runs.map(({ rows }) => rows)).toEqual(Array(6).fill(1));
  });

  it('lets a request of more rows than a batch may have go alone', () => {
    const line = timeline({ a: [m({ maxBatchRows: 64 })] }, { models: [{ name: 'm', batching: { maxBatchRows: 4 } }] });
    const sent = line.send({ model: 'm', values: Array.from({ length: 40 }, (_, i) => BigInt(i)) });
    line.clock.advance(1000);
    expect(values(sent)).toHaveLength(40);
  });

  it('retries a failed batch item by item, so that one bad request hurts only itself', () => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(666n);
    const line = timeline({ a: [m({ poison: { bytes, code: statusCode.INTERNAL } })] });
    warm(line);
    const sent = [1n, 2n, 666n, 4n, 5n].map((value) => line.send({ model: 'm', values: [value] }));
    line.clock.advance(1000);
    expect(sent.map(reason)).toEqual(['OK', 'OK', 'EXECUTION_FAILED', 'OK', 'OK']);
    expect(sent[2]?.outcome).toMatchObject({ refusal: { code: statusCode.INTERNAL, message: 'poisoned row' } });
  });

  it('does not run a failed batch of a model that is not idempotent again', () => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(666n);
    const line = timeline({ a: [m({ poison: { bytes, code: statusCode.INTERNAL } })] }, { defaults: { idempotent: false } });
    warm(line);
    const first = line.send({ model: 'm', values: [9n] });
    const sent = [1n, 666n, 4n].map((value) => line.send({ model: 'm', values: [value] }));
    const before = line.engine('a').received;
    line.clock.advance(1000);
    expect(reason(first)).toBe('OK');
    expect(sent.map(reason)).toEqual(Array(3).fill('EXECUTION_FAILED'));
    expect(line.engine('a').received - before).toBeLessThanOrEqual(1);
  });

  it('stops merging, and still answers everyone, when an output ignores the rows', () => {
    const line = timeline({ a: [m({ ignoresRows: true })] });
    warm(line);
    const sent = Array.from({ length: 5 }, (_, i) => line.send({ model: 'm', values: [BigInt(i)] }));
    line.clock.advance(2000);
    sent.forEach((each, i) => expect(values(each)).toEqual([BigInt(i)]));
    line.engine('a').runs.length = 0;
    for (let i = 0; i < 6; i++) line.send({ model: 'm', values: [BigInt(i)] });
    line.clock.advance(2000);
    expect(line.engine('a').runs.map(({ rows }) => rows)).toEqual(Array(6).fill(1));
  });

  it('sends high priority at once, past what waits, in a run of its own', () => {
    const line = timeline({ a: [m({ overheadMs: 50 })] });
    warm(line);
    const running = line.send({ model: 'm', values: [0n] });
    line.clock.advance(1);
    const waiting = [1n, 2n, 3n].map((value) => line.send({ model: 'm', values: [value] }));
    const high = line.send({ model: 'm', values: [99n], parameters: { priority: 1n } });
    line.clock.advance(5000);
    expect(values(high)).toEqual([99n]);
    expect([running, ...waiting].filter((each) => each.doneAtMs < high.doneAtMs)).toEqual([running]);
    expect(line.engine('a').runs.some(({ rows, bytes }) => rows === 1 && bytes.includes('priority'))).toBe(true);
  });

  it('sends high priority past what waits where the target holds all it may, merged with those after it', () => {
    const line = timeline({ a: [m({ overheadMs: 50 })] });
    warm(line);
    const low = Array.from({ length: 100 }, (_, i) => line.send({ model: 'm', values: [BigInt(i)] }));
    const high = line.send({ model: 'm', values: [99n], parameters: { priority: 1n } });
    line.clock.advance(5000);
    expect(values(high)).toEqual([99n]);
    // One batch ran and one was staged before it came.
    expect(low.filter((each) => each.doneAtMs < high.doneAtMs).length).toBeLessThanOrEqual(64);
    expect(low.some((each) => each.doneAtMs > high.doneAtMs)).toBe(true);
    expect(line.engine('a').runs.some(({ rows, bytes }) => rows === 1 && bytes.includes('priority'))).toBe(false);
  });
});

describe('deadlines and cancellation', () => {
  it('answers a waiting request at its deadline, not when its turn would come', () => {
    const line = timeline({ a: [m({ maxBatchRows: 0, overheadMs: 1000 })] });
    line.send({ model: 'm', values: [1n] });
    line.send({ model: 'm', values: [2n] });
    const late = line.send({ model: 'm', values: [3n] }, 300);
    line.clock.advance(300);
    expect(reason(late)).toBe('DEADLINE_EXCEEDED');
    line.clock.advance(10_000);
    expect(line.engine('a').received).toBe(2);
  });

  it('answers a running request at its deadline and cancels it upstream', () => {
    const line = timeline({ a: [m({ overheadMs: 1000 })] });
    const sent = line.send({ model: 'm', values: [1n] }, 300);
    line.clock.advance(300);
    expect(reason(sent)).toBe('DEADLINE_EXCEEDED');
    expect(line.engine('a').cancelled).toBe(1);
  });

  it('reads the timeout parameter as microseconds of waiting only', () => {
    const line = timeline({ a: [m({ maxBatchRows: 0, overheadMs: 1000 })] });
    // The batcher knows by now that a run takes a second; the limit on waiting must hold all the same.
    for (let i = 0; i < 3; i++) {
      line.send({ model: 'm', values: [0n] });
      line.clock.advance(1500);
    }
    const running = line.send({ model: 'm', values: [1n], parameters: { timeout: 100_000n } });
    const staged = line.send({ model: 'm', values: [2n] });
    const waiting = line.send({ model: 'm', values: [3n], parameters: { timeout: 100_000n } });
    line.clock.advance(101);
    expect([running, staged, waiting].map(reason)).toEqual(['under way', 'under way', 'DEADLINE_UNREACHABLE']);
    line.clock.advance(5000);
    expect(reason(running)).toBe('OK');
  });

  it("uses the model's own timeout where the call sets none", () => {
    const line = timeline({ a: [m({ overheadMs: 5000 })] }, { models: [{ name: 'm', timeoutMs: 200 }] });
    const sent = line.send({ model: 'm', values: [1n] });
    line.clock.advance(201);
    expect(reason(sent)).toBe('DEADLINE_EXCEEDED');
  });

  it('takes a cancelled request out of its lane without telling the backend of it', () => {
    const line = timeline({ a: [m({ maxBatchRows: 0, overheadMs: 100 })] });
    line.send({ model: 'm', values: [1n] });
    line.send({ model: 'm', values: [2n] });
    const waiting = line.send({ model: 'm', values: [3n] });
    expect(waiting.cancel()).toBe(true);
    expect(waiting.cancel()).toBe(false);
    line.clock.advance(1000);
    expect(line.engine('a')).toMatchObject({ received: 2, cancelled: 0 });
    expect(waiting.outcome).toBeUndefined();
    expect(line.pipeline.heldBytes).toBe(0);
  });

  it('cancels a batch upstream only when all its members are gone', () => {
    const line = timeline({ a: [m({ overheadMs: 100 })] });
    warm(line);
    const first = line.send({ model: 'm', values: [0n] });
    const batch = [1n, 2n, 3n].map((value) => line.send({ model: 'm', values: [value] }));
    while (line.engine('a').runs.length < 2) line.clock.advance(10);
    batch[0]?.cancel();
    batch[1]?.cancel();
    line.clock.advance(1);
    expect(line.engine('a').cancelled).toBe(0);
    line.clock.advance(1000);
    expect(values(batch[2] as Sent)).toEqual([3n]);
    expect(reason(first)).toBe('OK');

    const lone = line.send({ model: 'm', values: [5n] });
    lone.cancel();
    line.clock.advance(1);
    expect(line.engine('a').cancelled).toBe(1);
  });
});

describe('refusals', () => {
  const cases: readonly [string, Parameters<Timeline['send']>[0], string][] = [
    ['a model nobody has', { model: 'nope', values: [1n] }, 'MODEL_NOT_FOUND'],
    ['a version nobody has', { model: 'm', version: '9', values: [1n] }, 'VERSION_NOT_FOUND'],
    ['a priority of the wrong type', { model: 'm', values: [1n], parameters: { priority: 'high' } }, 'INVALID_PARAMETER'],
    ['a negative priority', { model: 'm', values: [1n], parameters: { priority: -1n } }, 'INVALID_PARAMETER'],
    ['a timeout of the wrong type', { model: 'm', values: [1n], parameters: { timeout: 1.5 } }, 'INVALID_PARAMETER'],
    ['a sequence id of the wrong type', { model: 'm', values: [1n], parameters: { sequence_id: true } }, 'INVALID_PARAMETER'],
  ];
  it.each(cases)('%s', (_name, request, expected) => {
    const line = timeline({ a: [m()] });
    expect(reason(line.send(request))).toBe(expected);
    expect(line.pipeline.heldBytes).toBe(0);
  });

  it('refuses above the byte budget, with a hint when to come again, and recovers', () => {
    const line = timeline({ a: [m({ maxBatchRows: 0, overheadMs: 100 })] }, { limits: { maxQueuedBytes: 10_000 } });
    const sent = Array.from({ length: 10 }, (_, i) => line.send({ model: 'm', values: [BigInt(i)] }));
    const refused = sent.filter((each) => reason(each) === 'QUEUE_FULL');
    expect(refused.length).toBeGreaterThan(4);
    expect(refused[0]?.outcome).toMatchObject({ refusal: { code: statusCode.RESOURCE_EXHAUSTED, retryAfterMs: 100 } });
    line.clock.advance(5000);
    expect(line.pipeline.heldBytes).toBe(0);
    expect(reason(line.send({ model: 'm', values: [1n] }))).toBe('under way');
  });

  it('refuses above maxQueuedRows', () => {
    const line = timeline({ a: [m({ overheadMs: 100 })] }, { defaults: { batching: { maxQueuedRows: 3 } } });
    const sent = Array.from({ length: 10 }, (_, i) => line.send({ model: 'm', values: [BigInt(i)] }));
    expect(sent.filter((each) => reason(each) === 'QUEUE_FULL').length).toBeGreaterThan(3);
  });

  it('refuses with DRAINING once the drain began, and ends when all is answered', async () => {
    const line = timeline({ a: [m()] });
    const before = line.send({ model: 'm', values: [1n] });
    const drained = line.pipeline.drain();
    expect(reason(line.send({ model: 'm', values: [2n] }))).toBe('DRAINING');
    line.clock.advance(100);
    await drained;
    expect(reason(before)).toBe('OK');
  });
});
