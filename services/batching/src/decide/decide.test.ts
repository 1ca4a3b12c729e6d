import { describe, expect, test } from 'vitest';
import type { CostEstimate, TargetSnapshot } from '../types.js';
import { decide } from './decide.js';
import type { DecideInput, Decision, LaneSnapshot } from './snapshot.js';

const nowMs = 1_000;

function estimate(overheadMs: number, perRowMs: number, identified = true): CostEstimate {
  return { overheadMs, perRowMs, identified, residualMs: 0, predictMs: (rows) => overheadMs + perRowMs * rows };
}

const classes: Readonly<Record<string, CostEstimate>> = { gpu: estimate(10, 0.1), cpu: estimate(1, 20), new: estimate(0, 0, false) };

function lane(overrides: Partial<LaneSnapshot> = {}): LaneSnapshot {
  return {
    key: 'lane',
    shapeClass: 'model',
    mergeable: true,
    pinnedTarget: undefined,
    rows: 1,
    requests: overrides.rows ?? 1,
    headBand: 2,
    headOwnBand: 2,
    headRound: 0,
    headTurn: 0,
    headDueMs: Infinity,
    headDeadlineMs: Infinity,
    headArrivedMs: nowMs - 1,
    headRows: 1,
    minDeadlineMs: overrides.headDeadlineMs ?? Infinity,
    minDeadlineArrivedMs: nowMs - 1,
    ...overrides,
  };
}

function target(overrides: Partial<TargetSnapshot> = {}): TargetSnapshot {
  return { id: 'gpu', podClass: 'gpu', outstanding: 0, capacity: 2, freeInMs: 0, penalty: 1, ...overrides };
}

function ask(lanes: readonly LaneSnapshot[], targets: readonly TargetSnapshot[], more: Partial<DecideInput> = {}): Decision {
  return decide({
    lanes,
    targets,
    costs: { estimate: (_, podClass) => classes[podClass] ?? estimate(0, 0, false) },
    maxBatchRows: 32,
    nowMs,
    trustPredictions: true,
    arrivals: () => undefined,
    fruitless: new Set(),
    ...more,
  });
}

const busy = { outstanding: 1, freeInMs: 8 };
const full = { outstanding: 2, freeInMs: 18 };
const cpu = target({ id: 'cpu', podClass: 'cpu' });

describe('decide: what starts where', () => {
  test.each<[string, LaneSnapshot[], TargetSnapshot[], Partial<Decision>]>([
    ['an idle target takes what waits at once', [lane({ rows: 3 })], [target()], { kind: 'start', targetId: 'gpu', rows: 3, from: 'head' }],
    ['a target nothing is known of takes all that fits', [lane({ rows: 40 })], [target({ podClass: 'new' })], { kind: 'start', rows: 32 }],
    ['the class that ends sooner is chosen of two idle ones', [lane()], [cpu, target()], { kind: 'start', targetId: 'gpu' }],
    ['a slow idle one is left alone when the fast one ends sooner all the same', [lane()], [cpu, target(busy)], { kind: 'wait' }],
    ['a slow idle one serves when it ends sooner', [lane()], [cpu, target({ ...full })], { kind: 'start', targetId: 'cpu', from: 'head' }],
    [
      'a slow idle one takes from the far end what the fast one would end later',
      [lane({ rows: 40 })],
      [cpu, target({ outstanding: 2, freeInMs: 4 })],
      { kind: 'start', targetId: 'cpu', rows: 1, from: 'tail' },
    ],
    [
      'a batch is staged when the run before it ends soon',
      [lane({ rows: 5 })],
      [target({ outstanding: 1, freeInMs: 2 })],
      { kind: 'start', rows: 5 },
    ],
    ['a batch is staged early when it is full', [lane({ rows: 32 })], [target(busy)], { kind: 'start', rows: 32 }],
    ['the round trip is covered by staging earlier', [lane({ rows: 5 })], [target({ ...busy, networkMs: 9 })], { kind: 'start', rows: 5 }],
    [
      'the higher band goes first',
      [lane({ key: 'low', headBand: 3 }), lane({ key: 'high', headBand: 1 })],
      [target()],
      { kind: 'start', lane: 'high' },
    ],
    [
      'in one band the earlier due goes first',
      [lane({ key: 'late', headDueMs: 2_000 }), lane({ key: 'soon', headDueMs: 1_500 })],
      [target()],
      { kind: 'start', lane: 'soon' },
    ],
    ['what is pinned goes to its target alone', [lane({ pinnedTarget: 'cpu' })], [target(), cpu], { kind: 'start', targetId: 'cpu' }],
    [
      'what is pinned to a full target lets others pass',
      [lane({ key: 'pinned', pinnedTarget: 'gpu', headBand: 1 }), lane({ key: 'free' })],
      [target({ ...full, freeInMs: 50 }), cpu],
      { kind: 'start', lane: 'free', targetId: 'cpu' },
    ],
    ['a lane that must run alone sends its head only', [lane({ mergeable: false, rows: 9 })], [target()], { kind: 'start', rows: 1 }],
    ['a penalty makes a target look slower', [lane()], [target({ penalty: 3 }), cpu], { kind: 'start', targetId: 'cpu' }],
    ['a deadline makes the batch smaller', [lane({ rows: 32, headDeadlineMs: nowMs + 12.51 })], [target()], { kind: 'start', rows: 25 }],
    ['but not below 75 % of the throughput', [lane({ rows: 32, headDeadlineMs: nowMs + 10.5 })], [target()], { kind: 'start', rows: 23 }],
  ])('%s', (_, lanes, targets, expected) => {
    expect(ask(lanes, targets)).toMatchObject(expected);
  });
});

describe('decide: when nothing starts', () => {
  test.each<[string, LaneSnapshot[], TargetSnapshot[], Decision]>([
    ['no target: until a deadline', [lane({ headDeadlineMs: nowMs + 70 })], [], { kind: 'wait', untilMs: nowMs + 70 }],
    ['all targets hold all they may: until one ends', [lane()], [target(full)], { kind: 'wait', untilMs: Infinity }],
    ['one runs: until the hand-over margin, 20 % of t(1)', [lane()], [target(busy)], { kind: 'wait', untilMs: nowMs + 8 - 0.2 * 10.1 }],
    [
      'the better one is full: until it is free, the worse one stays idle',
      [lane()],
      [cpu, target({ outstanding: 2, freeInMs: 4 })],
      { kind: 'wait', untilMs: nowMs + 4 },
    ],
    ['pinned to a target that is gone', [lane({ pinnedTarget: 'gone' })], [target()], { kind: 'wait', untilMs: Infinity }],
    // `low` is full and could be staged early; the target is kept for `high`, which waits for its hand-over.
    [
      'a lane keeps its target from those after it',
      [lane({ key: 'low', rows: 40, headBand: 3 }), lane({ key: 'high', headBand: 1 })],
      [target(busy)],
      { kind: 'wait', untilMs: nowMs + 8 - 0.2 * 10.1 },
    ],
  ])('%s', (_, lanes, targets, expected) => {
    expect(ask(lanes, targets)).toEqual(expected);
  });
});

describe('decide: where tenants take turns a full batch is staged late', () => {
  const soon = { outstanding: 1, freeInMs: 0.9 };
  test.each<[string, LaneSnapshot, TargetSnapshot[], Partial<DecideInput>, Partial<Decision>]>([
    ['not before a timer could still be in time', lane({ rows: 40 }), [target(busy)], {}, { kind: 'wait', untilMs: nowMs + 7 }],
    ['and the round trip', lane({ rows: 40 }), [target({ ...busy, networkMs: 3 })], {}, { kind: 'wait', untilMs: nowMs + 4 }],
    ['sooner where timers are late', lane({ rows: 40 }), [target(busy)], { timersLateMs: 2 }, { kind: 'wait', untilMs: nowMs + 5 }],
    ['at once where they are later than that', lane({ rows: 40 }), [target(busy)], { timersLateMs: 7 }, { kind: 'start', rows: 32 }],
    ['a penalty makes no run longer: 8 - 2', lane({ rows: 40 }), [target({ ...busy, penalty: 1 + 2 / 13.2 })], {}, { kind: 'wait' }],
    ['a larger one', lane({ rows: 40 }), [target({ ...busy, penalty: 1 + 7.1 / 13.2 })], {}, { kind: 'start' }],
    ['when the run before it is about to end', lane({ rows: 40 }), [target(soon)], {}, { kind: 'start', rows: 32 }],
    ['one that runs alone too', lane({ rows: 2, mergeable: false }), [target(busy)], {}, { kind: 'wait', untilMs: nowMs + 7 }],
    [
      'on any of several, the first that ends',
      lane({ rows: 90 }),
      [target(busy), target({ ...busy, id: 'two', freeInMs: 5 })],
      {},
      { kind: 'wait', untilMs: nowMs + 4 },
    ],
    ['an idle target starts at once', lane({ rows: 40 }), [target()], {}, { kind: 'start', rows: 32 }],
  ])('%s', (_, one, targets, more, expected) => {
    expect(ask([one], targets, { takesTurns: true, ...more })).toMatchObject(expected);
  });

  test('by so much the sooner as its runs differ, up to 20 % of one', () => {
    const staged = (residualMs: number): number => {
      const costs = { estimate: () => ({ ...estimate(10, 0.1), residualMs }) };
      const decision = ask([lane({ rows: 40 })], [target(busy)], { takesTurns: true, costs });
      return decision.kind === 'wait' ? decision.untilMs - nowMs : 0;
    };
    expect([0, 1, 50].map((residualMs) => staged(residualMs).toFixed(6))).toEqual(['7.000000', '6.000000', '5.360000']);
  });
});

describe('decide: what is given up', () => {
  test.each<[string, LaneSnapshot, TargetSnapshot[], Partial<DecideInput>, Partial<Decision>]>([
    ['what has passed, even with no target', lane({ headDeadlineMs: nowMs }), [], {}, { kind: 'expire', throughMs: nowMs }],
    ['what would end late even alone', lane({ headDeadlineMs: nowMs + 10 }), [target()], {}, { kind: 'expire', throughMs: nowMs + 10.1 }],
    ['not while predictions are stale', lane({ headDeadlineMs: nowMs + 10 }), [target()], { trustPredictions: false }, { kind: 'start' }],
    [
      'under overload, heads that lost their time by waiting',
      lane({ rows: 90, headArrivedMs: nowMs - 50, headDeadlineMs: nowMs + 12 }),
      [target()],
      {},
      { kind: 'expire-late' },
    ],
    [
      'under overload, whoever in its batch lost it, though the head has time',
      lane({ rows: 90, headDeadlineMs: nowMs + 500, minDeadlineMs: nowMs + 12, minDeadlineArrivedMs: nowMs - 50 }),
      [target()],
      {},
      { kind: 'expire-late', keepRows: 32 },
    ],
    [
      'not where those who are left would not fill the batch',
      lane({ rows: 32, headDeadlineMs: nowMs + 500, minDeadlineMs: nowMs + 12, minDeadlineArrivedMs: nowMs - 50 }),
      [target()],
      {},
      { kind: 'start' },
    ],
    [
      'not those whose time was short from the start',
      lane({ rows: 90, headDeadlineMs: nowMs + 12 }),
      [target()],
      {},
      { kind: 'start', rows: 23 },
    ],
  ])('%s', (_, one, targets, more, expected) => {
    expect(ask([one], targets, more)).toMatchObject(expected);
  });
});

describe('decide: an idle target waits for one more only where that pays', () => {
  const dense = { arrivals: () => ({ meanMs: 0.5, lastMs: nowMs }) };
  test.each<[string, LaneSnapshot[], TargetSnapshot[], Partial<DecideInput>, Partial<Decision>]>([
    ['high overhead and dense arrivals: half of (10 - 0.1) / 2', [lane()], [target()], dense, { kind: 'wait', untilMs: nowMs + 2.475 }],
    ['sparse arrivals', [lane()], [target()], { arrivals: () => ({ meanMs: 3, lastMs: nowMs }) }, { kind: 'start' }],
    ['they stopped coming', [lane()], [target()], { arrivals: () => ({ meanMs: 0.5, lastMs: nowMs - 3 }) }, { kind: 'start' }],
    ['enough have come', [lane({ rows: 9 })], [target()], dense, { kind: 'start' }],
    ['it has waited for as long as one overhead', [lane({ headArrivedMs: nowMs - 10 })], [target()], dense, { kind: 'start' }],
    ['a deadline is near', [lane({ headDeadlineMs: nowMs + 10.21 })], [target()], dense, { kind: 'start' }],
    ['rows cost more than overhead', [lane()], [cpu], dense, { kind: 'start' }],
    ['another target is idle for the newcomer', [lane()], [target(), target({ id: 'two' })], dense, { kind: 'start' }],
    ['other lanes have work for the target', [lane(), lane({ key: 'other' })], [target()], dense, { kind: 'start' }],
    ['overhead is not known', [lane()], [target({ podClass: 'new' })], dense, { kind: 'start' }],
  ])('%s', (_, lanes, targets, more, expected) => {
    const decision = ask(lanes, targets, more);
    expect(decision.kind).toBe(expected.kind);
    expect(decision.kind === 'wait' ? decision.untilMs : 0).toBeCloseTo(expected.kind === 'wait' ? (expected.untilMs ?? 0) : 0, 9);
  });
});

describe('decide: clients whose answers have just gone out', () => {
  const returns = { usualRequests: 16, usualMs: 0.1, arrivedRequests: 0, endedMs: nowMs };
  const half = lane({ rows: 16 });
  test.each<[string, LaneSnapshot[], TargetSnapshot[], Partial<DecideInput>, Partial<Decision>]>([
    ['are waited for, a millisecond at most', [half], [target()], { returns }, { kind: 'wait', untilMs: nowMs + 1 }],
    ['not when all have come', [half], [target()], { returns: { ...returns, arrivedRequests: 16 } }, { kind: 'start', rows: 16 }],
    ['not when the millisecond is over', [half], [target()], { returns: { ...returns, endedMs: nowMs - 1 } }, { kind: 'start' }],
    ['not when few come to many', [half], [target()], { returns: { ...returns, usualRequests: 1, usualMs: 0.5 } }, { kind: 'start' }],
    ['not when the batch is full', [lane({ rows: 32 })], [target()], { returns }, { kind: 'start' }],
    ['not when a deadline would be missed', [lane({ rows: 16, headDeadlineMs: nowMs + 13 })], [target()], { returns }, { kind: 'start' }],
    ['not where rows are what costs', [lane({ rows: 4 })], [cpu], { returns: { ...returns, usualRequests: 4 } }, { kind: 'start' }],
    ['not while another target is idle', [half], [target(), target({ id: 'two' })], { returns }, { kind: 'start' }],
    [
      'and nothing is staged before they are back',
      [half],
      [target({ outstanding: 1, freeInMs: 1 })],
      { returns },
      { kind: 'wait', untilMs: Infinity },
    ],
    [
      'but is where they are few',
      [half],
      [target({ outstanding: 1, freeInMs: 1 })],
      { returns: { ...returns, usualRequests: 1, usualMs: 0.5 } },
      { kind: 'start' },
    ],
  ])('%s', (_, lanes, targets, more, expected) => {
    expect(ask(lanes, targets, more)).toMatchObject(expected);
  });
});
