import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestTrail } from './request-trail.js';
import type { EndedTrail } from './request-trail.js';

const ended: EndedTrail = {
  requestId: 'a',
  model: 'm',
  version: '1',
  tenant: 'acme',
  tier: 'gold',
  reason: 'OK',
  message: '',
  retryAfterMs: Number.NaN,
  band: 2,
  loweredFrom: 1,
  identityMs: 0.25,
  arrivedMs: 1000,
  queuedMs: 1001,
  startedMs: 1002.5,
  answeredMs: 1009,
  endedMs: 1009.5,
  backend: 'server-0',
  batchRows: 7,
  attempts: 1,
};

describe('RequestTrail', () => {
  it('gives back what was noted, the latest first', () => {
    const trail = new RequestTrail(8);
    trail.note(ended);
    trail.note({ ...ended, requestId: 'b' });
    trail.note({ ...ended, attempts: 2 });
    expect(trail.find('a')).toEqual([{ ...ended, attempts: 2 }, ended]);
    expect(trail.find('a', 1)).toEqual([{ ...ended, attempts: 2 }]);
    expect(trail.find('ab')).toEqual([]);
    expect(trail.find('')).toEqual([]);
    expect([trail.size, trail.oldestEndedMs]).toEqual([3, 1009.5]);
  });

  it('forgets the oldest, and says how far back it goes', () => {
    const trail = new RequestTrail(4);
    expect([trail.size, trail.oldestEndedMs]).toEqual([0, undefined]);
    for (let i = 0; i < 10; i++) trail.note({ ...ended, requestId: `r${i}`, endedMs: i });
    expect(Array.from({ length: 10 }, (_, i) => trail.find(`r${i}`).length)).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1]);
    expect([trail.size, trail.oldestEndedMs]).toEqual([4, 6]);
  });

  it('keeps so much of a text that a client chose, and no more', () => {
    const trail = new RequestTrail(2);
    trail.note({ ...ended, model: 'm'.repeat(1_000_000), version: 'v'.repeat(513), message: 'é'.repeat(512) });
    const [found] = trail.find('a');
    expect(found?.model).toBe(`${'m'.repeat(509)}...`);
    expect(found?.version).toBe(`${'v'.repeat(509)}...`);
    expect(found?.message).toBe('é'.repeat(512));
  });

  it('never takes one id for another, whatever their bytes and lengths', () => {
    const id = fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 140 });
    fc.assert(
      fc.property(fc.array(id, { maxLength: 40 }), fc.integer({ min: 1, max: 20 }), (ids, slots) => {
        const trail = new RequestTrail(slots);
        ids.forEach((requestId, i) => trail.note({ ...ended, requestId, arrivedMs: i }));
        const kept = ids.map((requestId, i) => ({ requestId, i })).slice(-slots);
        for (const wanted of new Set(ids)) {
          const expected = kept.filter(({ requestId }) => requestId === wanted).map(({ i }) => i);
          expect(trail.find(wanted, 100).map(({ arrivedMs }) => arrivedMs)).toEqual(expected.reverse());
        }
      }),
    );
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses %s slots', (slots) => {
    expect(() => new RequestTrail(slots)).toThrow(/slots: expected 1 or more/);
  });
});
