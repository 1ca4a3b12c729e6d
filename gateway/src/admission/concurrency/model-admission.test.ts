import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AdmissionClasses } from './classes.js';
import { Floors } from './floors.js';
import { GoalGradient } from './goal-gradient.js';
import { ModelAdmission } from './model-admission.js';
import { Shedder } from './shedder.js';
import { simulateAdmission } from './testing/admission-simulation.js';

const tiers = [
  { name: 'free', weight: 1 },
  { name: 'gold', weight: 8 },
  { name: 'silver', weight: 3 },
  { name: 'lead', weight: 1 },
];

describe('classes', () => {
  const classes = new AdmissionClasses(2, tiers);
  test('band first, then weight; equal weights share a rank, and a class is made once', () => {
    const order = [
      [1, 'gold'],
      [1, 'silver'],
      [1, 'free'],
      [2, 'gold'],
      [2, 'silver'],
      [2, 'free'],
    ] as const;
    expect(order.map(([band, tier]) => classes.of(band, tier).rank)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(classes.of(1, 'lead').rank).toBe(2);
    expect(classes.of(1, 'lead').tier).not.toBe(classes.of(1, 'free').tier);
    expect(classes.of(1, 'gold')).toBe(classes.of(1, 'gold'));
  });

  test.each([0, -3, 99, NaN])('band %d is one of those there are, an unknown tier the first', (band) => {
    const { rank } = classes.of(band, 'nobody');
    expect(rank >= 0 && rank < classes.ranks).toBe(true);
  });
});

describe('thinning', () => {
  /** Brought to let in half of one class: 100 come in each window, 50 are answered, 75 % of the limit is used. */
  function halved(): Shedder {
    const shedder = new Shedder(1);
    let nowMs = 0;
    for (let i = 0; i < 4_000; i++) {
      shedder.arrived(0, false, false, 75, 100, (nowMs += 0.2));
      if (i % 2 === 0) shedder.ended(20, 75, 100, nowMs);
    }
    return shedder;
  }

  test('lets in its share, evenly, of every rhythm of arrivals', () => {
    const shedder = halved();
    const share = shedder.shareOf(0);
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.6);
    const passed = Array.from({ length: 6_000 }, () => shedder.passes(0, false, 75, 100));
    for (const every of [1, 2, 3, 5, 8]) {
      for (let offset = 0; offset < every; offset++) {
        const own = passed.filter((_, index) => index % every === offset);
        expect(Math.abs(own.filter(Boolean).length / own.length - share)).toBeLessThan(0.02);
      }
    }
  });
});

describe('below capacity', () => {
  test.each([0.3, 0.6, 0.95])('answers that come in lumps are no overload: all are let in at %dx', (load) => {
    const shedder = new Shedder(1);
    let underWay = 0;
    let running = 0;
    for (let nowMs = 0; nowMs < 4_000; nowMs++) {
      // 1.2 a ms at most; what came before the last batch ended is answered with the next, every 26 ms; a limit of 128.
      const came = Math.floor((nowMs + 1) * 1.2 * load) - Math.floor(nowMs * 1.2 * load);
      for (let i = 0; i < came; i++) {
        shedder.arrived(0, false, false, underWay, 128, nowMs);
        expect(shedder.passes(0, false, underWay, 128)).toBe(true);
        underWay += 1;
      }
      if (nowMs % 26 !== 0 || nowMs === 0) continue;
      for (; running > 0; running--) shedder.ended(40, underWay--, 128, nowMs);
      running = underWay;
    }
  });
});

describe('a class that is thinned', () => {
  test('lets in who is within its share first: with 30 modest of 100 and room for half, all of those and 2 of 7 others', () => {
    const shedder = new Shedder(1);
    let nowMs = 0;
    for (let i = 0; i < 20_000; i++) {
      shedder.arrived(0, false, i % 10 < 3, 75, 100, (nowMs += 0.2));
      if (i % 2 === 0) shedder.ended(20, 75, 100, nowMs);
    }
    const passed = (modest: boolean): number =>
      Array.from({ length: 1000 }, () => shedder.passes(0, modest, 75, 100)).filter(Boolean).length;
    expect(passed(true)).toBe(1000);
    expect(passed(false) / 1000).toBeCloseTo(2 / 7, 1);
  });
});

describe('floors', () => {
  test('a tier gets its share of what is answered, saves little, and takes nothing from another', () => {
    const floors = new Floors(2, 0.05);
    let taken = 0;
    for (let i = 0; i < 10_000; i++) {
      floors.answered();
      if (floors.take(0)) taken += 1;
    }
    expect(taken).toBe(500);
    let saved = 0;
    while (floors.take(1)) saved += 1;
    expect(saved).toBe(4);
    expect(floors.take(7)).toBe(false);
  });

  test('all together are a tenth at most', () => {
    expect(new Floors(64).share * 64).toBeLessThanOrEqual(0.1 + 1e-12);
  });
});

describe('overload', () => {
  test.each([2, 3])(
    '%dx: the highest class is served, the backend kept busy, each class gets no smaller share than the one after it',
    (load) => {
      const { classes, goodput, keepVariation } = simulateAdmission({ load, forMs: 6_000 });
      const share = (name: string): number => (classes[name]?.inTime ?? 0) / (classes[name]?.came ?? 1);
      expect(share('gold 1')).toBeGreaterThan(0.97);
      expect(goodput).toBeGreaterThan(0.93);
      expect(share('gold 1')).toBeGreaterThanOrEqual(share('gold 2'));
      expect(share('gold 2')).toBeGreaterThan(share('silver 2'));
      expect(share('silver 2')).toBeGreaterThan(share('free 3'));
      // No cliff: what is let in moves by less than a fifth of itself.
      expect(keepVariation).toBeLessThan(0.2);
    },
  );

  test('the lowest tier is shed first but keeps its floor of what is answered', () => {
    const { classes } = simulateAdmission({ load: 3, forMs: 6_000 });
    const answered = (32 / 26) * 6_000;
    expect(classes['free 3']?.admitted).toBeGreaterThan(0.018 * answered);
    expect(classes['free 3']?.admitted).toBeLessThan(0.05 * answered);
  });

  test('below capacity nearly nobody is refused', () => {
    const { classes } = simulateAdmission({ load: 0.5, forMs: 6_000 });
    for (const { came, admitted } of Object.values(classes)) expect(admitted).toBeGreaterThan(0.98 * came);
  });

  test.each([1.2, 2, 3])('%dx: who was told to come back and does gets in', (load) => {
    let returned = 0;
    let taken = 0;
    for (const seed of [1, 2]) {
      const result = simulateAdmission({ load, forMs: 8_000, returnShare: 1, seed });
      returned += result.returned;
      taken += result.taken;
    }
    expect(returned).toBeGreaterThan(300);
    expect(taken / returned).toBeGreaterThanOrEqual(0.95);
  });

  test('is over when the burst is: a second later all are let in', () => {
    const { classes } = simulateAdmission({ load: (nowMs) => (nowMs < 2_000 ? 3 : 0.3), forMs: 2_000 });
    const after = simulateAdmission({ load: (nowMs) => (nowMs < 2_000 ? 3 : 0.3), forMs: 8_000 });
    const late = (after.classes['free 3']?.admitted ?? 0) - (classes['free 3']?.admitted ?? 0);
    const came = (after.classes['free 3']?.came ?? 0) - (classes['free 3']?.came ?? 0);
    expect(late / came).toBeGreaterThan(0.85);
  });
});

describe('one request', () => {
  const of = new AdmissionClasses(1, tiers).of(1, 'gold');

  test('is refused as OVERLOADED beyond the limit, with a time of its own', () => {
    const admission = new ModelAdmission(new GoalGradient({ goal: undefined, initial: 4 }), 3, 4);
    let nowMs = 0;
    for (let round = 0; round < 400; round++) {
      nowMs += 10;
      if (admission.admit(of, false, nowMs) === undefined) admission.ended(of, 10, 5, nowMs);
    }
    const outcomes = Array.from({ length: 12 }, () => admission.admit(of, false, nowMs));
    const refused = outcomes.filter((outcome) => outcome !== undefined);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toMatchObject({
      reason: 'OVERLOADED',
      message: expect.stringMatching(/^requests under way: expected at most \d+ /) as string,
    });
    const times = refused.map(({ retryAfterMs }) => retryAfterMs ?? 0);
    expect(new Set(times).size).toBe(times.length);
  });

  test('that says it was refused before without having been is one like any other', () => {
    const admission = new ModelAdmission(new GoalGradient({ goal: undefined, initial: 4 }), 3, 4);
    const outcomes = Array.from({ length: 12 }, () => admission.admit(of, true, 1));
    expect(outcomes.filter((outcome) => outcome === undefined).length).toBe(4);
  });

  test('pressure takes up to nine tenths of the limit', () => {
    const admission = new ModelAdmission(new GoalGradient({ goal: undefined, initial: 100 }), 3, 4);
    for (const [pressure, limit] of [
      [0, 100],
      [0.5, 55],
      [1, 10],
      [9, 10],
      [NaN, 100],
      [-1, 100],
    ] as const) {
      admission.setPressure(pressure);
      expect(admission.limit).toBeCloseTo(limit);
    }
  });

  test('whatever comes, the number under way is what was let in less what has gone, and within limit and floors', () => {
    const step = fc.tuple(
      fc.constantFrom('admit', 'ended', 'left'),
      fc.integer({ min: 0, max: 20 }),
      fc.boolean(),
      fc.constantFrom(...tiers.map(({ name }) => name)),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const classes = new AdmissionClasses(2, tiers);
        const admission = new ModelAdmission(new GoalGradient({ goal: undefined, initial: 8, most: 16 }), classes.ranks, classes.tiers);
        let nowMs = 0;
        let open = 0;
        for (const [kind, waitMs, returning, tier] of steps) {
          nowMs += waitMs;
          if (kind === 'admit') {
            if (admission.admit(classes.of(1, tier), returning, nowMs) === undefined) open += 1;
          } else if (open > 0) {
            open -= 1;
            if (kind === 'ended') admission.ended(classes.of(1, tier), waitMs, undefined, nowMs);
            else admission.left();
          }
          expect(admission.underWay).toBe(open);
          expect(open).toBeLessThanOrEqual(16 + 4 * tiers.length);
        }
      }),
    );
  });
});
