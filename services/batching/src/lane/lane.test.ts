import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SimRequest } from '../testing/request.js';
import { makeRequest } from '../testing/request.js';
import { Account } from './account.js';
import { Lane } from './lane.js';
import type { Line } from './line.js';

const agingMs = 100;
const account = new Account<Line<SimRequest>>({ weight: 1 });

function laneOf(requests: readonly Partial<SimRequest>[], mergeable = true): Lane<SimRequest> {
  const lane = new Lane<SimRequest>({ key: 'lane', shapeClass: 'model', mergeable, pinnedTarget: undefined });
  requests.forEach((overrides, order) =>
    lane.push(makeRequest({ name: String(order), ...overrides }), order, overrides.band ?? 2, agingMs, account),
  );
  return lane;
}

function names(requests: readonly SimRequest[]): string {
  return requests.map(({ name }) => name).join('');
}

describe('order of service', () => {
  test.each<[string, Partial<SimRequest>[], number, string]>([
    ['arrival', [{ arrivedMs: 1 }, { arrivedMs: 2 }, { arrivedMs: 2 }], 3, '012'],
    ['deadline before arrival', [{ deadlineMs: 90 }, { deadlineMs: 50 }, {}], 3, '102'],
    ['the SLO is a due time too, where it is earlier', [{ deadlineMs: 90 }, { softDueMs: 50, deadlineMs: 200 }, {}], 3, '102'],
    ['a later SLO than the deadline changes nothing', [{ deadlineMs: 90, softDueMs: 150 }, { deadlineMs: 95 }], 3, '01'],
    ['band before deadline', [{ deadlineMs: 50 }, { band: 1, deadlineMs: 90 }], 50, '10'],
    [
      'a deadline counts for no more than agingMs: later ones go by arrival',
      [{ arrivedMs: 5, deadlineMs: 300 }, { arrivedMs: 3 }],
      50,
      '10',
    ],
    ['after agingMs a request is one band up', [{ band: 3 }, { band: 2, arrivedMs: 60 }, { band: 2, arrivedMs: 110 }], 120, '012'],
    ['before agingMs it is not', [{ band: 3 }, { band: 2, arrivedMs: 60 }], 99, '10'],
    ['after a long pause it moves several bands', [{ band: 4 }, { band: 1, arrivedMs: 350 }], 350, '01'],
    [
      'a band outside 1 to 16 is taken for the nearest',
      [{ band: 1e9 }, { band: 16, arrivedMs: 1 }, { band: -5, arrivedMs: 2 }, { band: 1, arrivedMs: 3 }],
      10,
      '2301',
    ],
  ])('%s', (_, requests, nowMs, expected) => {
    const lane = laneOf(requests);
    lane.age(nowMs, agingMs);
    expect(names(lane.take(100))).toBe(expected);
  });

  test('agingMs 0 makes all bands one', () => {
    const lane = laneOf([{ band: 3 }, { band: 1 }]);
    lane.age(1_000, 0);
    expect(names(lane.take(9))).toBe('01');
  });
});

describe('take', () => {
  test('fills the batch and leaves the rest', () => {
    const lane = laneOf([{ rows: 2 }, { rows: 2 }, { rows: 2 }]);
    expect(names(lane.take(4))).toBe('01');
    expect([lane.rows, lane.requests]).toEqual([2, 1]);
  });

  test('passes over what does not fit, which keeps its place', () => {
    const lane = laneOf([{ rows: 3 }, { rows: 9 }, { rows: 1 }, { rows: 1 }]);
    expect(names(lane.take(4))).toBe('02');
    expect(names(lane.take(10))).toBe('13');
  });

  test('always takes the head, whatever its size', () => {
    expect(names(laneOf([{ rows: 9 }, {}]).take(4))).toBe('0');
  });

  test('takes one at a time of what may not be merged', () => {
    const lane = laneOf([{}, {}], false);
    expect(names(lane.take(4))).toBe('0');
    expect(names(lane.takeTail(4, 0))).toBe('1');
  });
});

test('a tenant keeps its line while what it has left is passed over', () => {
  const lane = new Lane<SimRequest>({ key: 'lane', shapeClass: 'model', mergeable: true, pinnedTarget: undefined });
  const own = new Account<Line<SimRequest>>({ weight: 1 });
  [1, 9, 1].forEach((rows, order) => void lane.push(makeRequest({ name: String(order), rows }), order, 2, agingMs, own));
  expect(names(lane.take(4))).toBe('02');
  const other = new Account<Line<SimRequest>>({ weight: 1 });
  lane.push(makeRequest({ name: '3' }), 3, 2, agingMs, other);
  const paid: [boolean, string][] = [];
  lane.take(100, (payer, { name }) => void paid.push([payer === own, name]));
  expect(paid.toSorted(([, left], [, right]) => left.localeCompare(right))).toEqual([
    [true, '1'],
    [false, '3'],
  ]);
  expect([own.seats, other.seats]).toEqual([[], []]);
});

describe('takeTail', () => {
  test('takes late arrivals, not the head, and no more than fits', () => {
    const lane = laneOf(Array.from({ length: 10 }, (_, index) => ({ arrivedMs: index })));
    expect(names(lane.takeTail(3, 0))).toBe('987');
    expect(names(lane.take(2))).toBe('01');
  });

  test('takes none that would be late there', () => {
    const lane = laneOf([{ deadlineMs: 40 }, { deadlineMs: 50 }]);
    expect(lane.takeTail(5, 60)).toEqual([]);
    expect(names(lane.takeTail(5, 45))).toBe('1');
  });
});

test('heaps, counts and order hold under random use', () => {
  const step = fc.record({
    kind: fc.constantFrom('push', 'push', 'take', 'tail', 'expired', 'head', 'remove', 'age'),
    rows: fc.integer({ min: 0, max: 5 }),
    band: fc.integer({ min: 1, max: 5 }),
    deadlineInMs: fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 300 })),
    which: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const lane = laneOf([]);
      const waiting = new Map<SimRequest, ReturnType<typeof lane.push>>();
      let nowMs = 0;
      const left = (requests: readonly SimRequest[]): void => {
        for (const request of requests) expect(waiting.delete(request)).toBe(true);
      };
      steps.forEach(({ kind, rows, band, deadlineInMs, which }, order) => {
        nowMs += which % 40;
        let told = true;
        if (kind === 'push') {
          const request = makeRequest({ name: String(order), rows, band, arrivedMs: nowMs, deadlineMs: nowMs + deadlineInMs });
          waiting.set(request, lane.push(request, order, band, agingMs, account));
        } else if (kind === 'take') {
          const taken = lane.take(6);
          told = taken.length > 0 === waiting.size > 0;
          left(taken);
        } else if (kind === 'tail') left(lane.takeTail(6, nowMs + 50));
        else if (kind === 'remove') {
          const entry = [...waiting.values()][which % Math.max(waiting.size, 1)];
          if (entry !== undefined && lane.remove(entry)) left([entry.request]);
        } else if (kind === 'age') lane.age(nowMs, agingMs);
        else {
          const expired = kind === 'expired' ? lane.takeExpired(nowMs) : lane.takeLate(nowMs, 10);
          if (expired !== undefined) {
            told = expired.deadlineMs <= nowMs;
            left([expired]);
          }
        }
        expect(told).toBe(true);
        expect(lane.requests).toBe(waiting.size);
        expect(lane.rows).toBe([...waiting.keys()].reduce((sum, request) => sum + request.rows, 0));
        expect(lane.minDeadlineMs).toBe(Math.min(...[...waiting.keys()].map(({ deadlineMs }) => deadlineMs)));
        expect(lane.headBand).toBe(waiting.size === 0 ? 16 : Math.min(...[...waiting.values()].map((entry) => entry.band)));
      });
    }),
  );
});
