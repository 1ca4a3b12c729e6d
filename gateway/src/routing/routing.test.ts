import { FakeClock } from '@headrace/runtime/testing';
import { describe, expect, it } from 'vitest';
import type { BackendModel, BackendView } from '../domain/backend-view.js';
import type { ModelPolicy } from '../domain/gateway-table.js';
import { SequenceAffinity } from './affinity.js';
import { Ledger } from './ledger.js';
import { pickTarget } from './pick.js';
import { slowStartPenalty } from './slow-start.js';
import { backendOfTarget } from './slot-ids.js';
import { exclusionOf, targetsFor } from './targets.js';
import type { RoutingView } from './targets.js';

const model = (change: Partial<BackendModel> = {}): BackendModel => ({
  name: 'm',
  readyVersions: ['1', '2'],
  unready: new Map(),
  signature: undefined,
  maxBatchRows: 8,
  instances: 2,
  ...change,
});
const backend = (change: Partial<BackendView> = {}, entry: BackendModel | undefined = model()): BackendView => ({
  name: 'a',
  podClass: 'cpu',
  state: 'ready',
  life: 1,
  readySinceMs: -1e9,
  instances: undefined,
  models: new Map(entry === undefined ? [] : [[entry.name, entry]]),
  ...change,
});
const policy: ModelPolicy = {
  backends: undefined,
  timeoutMs: 1,
  idempotent: true,
  batching: { maxBatchRows: undefined, maxQueuedRows: 1, maxLanes: 1, agingMs: 1 },
  priority: { bands: 4, defaultBand: 3, bypassBand: 1, bypassMaxShare: 0.2, map: new Map() },
  slo: undefined,
  fallback: undefined,
  referenceMs: undefined,
};
const world = (backends: readonly BackendView[], change: Partial<RoutingView> = {}): RoutingView => ({
  backends,
  standing: () => 'steady',
  breaker: () => 'closed',
  ledger: new Ledger(),
  overheadMs: () => 0,
  slowStartMs: 0,
  ...change,
});

describe('filter', () => {
  const cases: readonly [string, Partial<BackendView>, BackendModel | undefined, Partial<RoutingView>, string | undefined, string][] = [
    ['serves it', {}, model(), {}, undefined, ''],
    ['serves a named version', {}, model(), {}, undefined, '2'],
    ['is lost', { state: 'lost' }, model(), {}, 'notReady', ''],
    ['has no such model', {}, model({ name: 'other' }), {}, 'noModel', ''],
    ['has no ready version', {}, model({ readyVersions: [] }), {}, 'modelNotReady', ''],
    ['lacks the version', {}, model(), {}, 'noVersion', '9'],
    ['is ejected', {}, model(), { standing: () => 'ejected' }, 'ejected', ''],
    ['has an open circuit', {}, model(), { breaker: () => 'open' }, 'circuitOpen', ''],
    ['is on trial', {}, model(), { breaker: () => 'halfOpen' }, undefined, ''],
  ];
  it.each(cases)('a backend that %s', (_name, change, entry, view, expected, version) => {
    expect(exclusionOf(world([], view), backend(change, entry), 'm', version, policy)).toBe(expected);
  });

  it('a backend that the table does not allow for the model', () => {
    expect(exclusionOf(world([]), backend(), 'm', '', { ...policy, backends: new Set(['b']) })).toBe('notInTable');
  });
});

describe('score', () => {
  const slots = (view: RoutingView): [string, number, number][] =>
    targetsFor(view, 'm', '', policy, 1000).map(({ id, capacity, penalty }) => [id, capacity, penalty]);

  it('makes two places for each instance, in the order of the table', () => {
    expect(slots(world([backend(), backend({ name: 'b', instances: 1 })]))).toEqual([
      ['a/m#0', 2, 1],
      ['a/m#1', 2, 1],
      ['b/m#0', 2, 1],
    ]);
    expect(backendOfTarget('a/m/with/slashes#0')).toBe('a');
  });

  it('gives a backend on trial one place for each instance', () => {
    expect(slots(world([backend()], { standing: () => 'probing' }))).toEqual([
      ['a/m#0', 1, 0.9],
      ['a/m#1', 1, 0.9],
    ]);
  });

  it('counts other models as load on the backend', () => {
    const view = world([backend()]);
    view.ledger.start({ targetId: 'a/other#0', backend: 'a', model: 'other', predictedMs: 5, startedMs: 0 });
    expect(slots(view).map(([, , penalty]) => penalty)).toEqual([1.5, 1.5]);
  });

  it('slows a backend that just joined', () => {
    const at = [0, 1250, 4999, 5000, 9000].map((ms) => Math.round(slowStartPenalty(ms, 5000) * 100) / 100);
    expect(at).toEqual([4, 2.29, 1, 1, 1]);
    expect(slowStartPenalty(0, 0)).toBe(1);
  });
});

describe('pick', () => {
  const target = (id: string, podClass: string, freeInMs: number, penalty = 1) => ({
    id,
    podClass,
    freeInMs,
    penalty,
    outstanding: 0,
    capacity: 2,
    networkMs: 0,
    batchOverheadMs: 0,
  });
  const predict = (podClass: string): number => (podClass === 'gpu' ? 20 : 5);
  const cases: readonly [string, Parameters<typeof pickTarget>[0], string | undefined][] = [
    ['the class that is faster for this', [target('g', 'gpu', 0), target('c', 'cpu', 0)], 'c'],
    ['the slower class when the faster is busy longer', [target('g', 'gpu', 0), target('c', 'cpu', 16)], 'g'],
    ['the first of equals', [target('x', 'cpu', 1), target('y', 'cpu', 1)], 'x'],
    ['not who starts slowly', [target('x', 'cpu', 0, 4), target('y', 'cpu', 10)], 'y'],
    ['nobody', [], undefined],
  ];
  it.each(cases)('takes %s', (_name, targets, expected) => {
    expect(pickTarget(targets, predict)?.id).toBe(expected);
  });
});

describe('Ledger', () => {
  it('adds up what is left of the first run and all of those behind it', () => {
    const ledger = new Ledger();
    const run = { targetId: 't', backend: 'a', model: 'm', startedMs: 0 };
    const first = ledger.start({ ...run, predictedMs: 12 });
    const second = ledger.start({ ...run, predictedMs: 20 });
    expect([first.expectedMs, second.expectedMs]).toEqual([12, 32]);
    expect(ledger.freeInMs('t', 5)).toBe(27);
    expect(ledger.outstanding('t')).toBe(2);
    ledger.finish(first, 15);
    expect(ledger.freeInMs('t', 15)).toBe(20);
    expect(second.beganMs).toBe(15);
    ledger.finish(second, 40);
    expect([ledger.freeInMs('t', 40), ledger.outstanding('t')]).toEqual([0, 0]);
  });

  it('makes a late run look worse the longer it hangs', () => {
    const ledger = new Ledger();
    ledger.start({ targetId: 't', backend: 'a', model: 'm', startedMs: 0, predictedMs: 10 });
    expect([10, 12, 100].map((nowMs) => ledger.freeInMs('t', nowMs))).toEqual([0, 2, 90]);
  });
});

describe('SequenceAffinity', () => {
  it('pins, forgets what is idle, and bounds what it holds', () => {
    const clock = new FakeClock();
    const affinity = new SequenceAffinity(clock, { maxEntries: 2, ttlMs: 1000 });
    const alive = (): number => 1;
    expect(affinity.find('x', false, alive)).toEqual({ kind: 'free' });
    affinity.pin('x', 'a/m#0', 'a', 1);
    clock.advance(900);
    expect(affinity.find('x', false, alive)).toEqual({ kind: 'pinned', targetId: 'a/m#0' });
    clock.advance(900);
    expect(affinity.find('x', false, alive).kind).toBe('pinned');
    clock.advance(1000);
    expect(affinity.find('x', false, alive).kind).toBe('free');
    for (const key of ['1', '2', '3']) affinity.pin(key, 'a/m#0', 'a', 1);
    expect(affinity.size).toBe(2);
    expect(['1', '2', '3'].map((key) => affinity.find(key, false, alive).kind)).toEqual(['free', 'pinned', 'pinned']);
    affinity.release('3');
    expect(affinity.find('3', false, alive).kind).toBe('free');
  });

  it.each([
    ['restarted', 2],
    ['gone', undefined],
  ])('tells that the state is lost when the backend is %s, unless the sequence begins anew', (_name, life) => {
    const affinity = new SequenceAffinity(new FakeClock(), { maxEntries: 9, ttlMs: 1000 });
    affinity.pin('x', 'a/m#0', 'a', 1);
    expect(affinity.find('x', false, () => life)).toEqual({ kind: 'lost', backend: 'a' });
    affinity.pin('x', 'a/m#0', 'a', 1);
    expect(affinity.find('x', true, () => life)).toEqual({ kind: 'free' });
  });
});
