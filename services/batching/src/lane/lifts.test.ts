import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lifts, lowestBand } from './lifts.js';

const anyRaised = fc
  .record({ came: fc.integer({ min: 2, max: lowestBand }), up: fc.integer({ min: 1, max: lowestBand - 1 }) })
  .map(({ came, up }) => ({ came, band: Math.max(1, came - up) }));

test('nothing is lifted while nothing was moved up', () => {
  const lifts = new Lifts();
  lifts.left(3, 3);
  expect([lifts.any, lifts.of(1), lifts.of(7), lifts.of(lowestBand)]).toEqual([false, 1, 7, lowestBand]);
});

test('a band is where the oldest of it or of a lower one has come to, and goes back when that has left', () => {
  fc.assert(
    fc.property(fc.array(anyRaised, { maxLength: 12 }), fc.nat(), (raised, leave) => {
      const lifts = new Lifts();
      for (const { came, band } of raised) {
        // Step by step, as agingMs after agingMs goes by.
        for (let at = came; at > band; at--) lifts.raised(came, at, at - 1);
      }
      const stay = raised.filter((_, index) => index % 3 !== leave % 3);
      for (const { came, band } of raised.filter((one) => !stay.includes(one))) lifts.left(came, band);
      expect(lifts.any).toBe(stay.length > 0);
      for (let band = 1; band <= lowestBand; band++) {
        const lower = stay.filter(({ came }) => came >= band).map((one) => one.band);
        expect(lifts.of(band)).toBe(Math.min(band, ...lower));
      }
    }),
  );
});
