import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Simulation } from '../testing/index.js';
import type { SimRequest } from '../testing/index.js';
import type { Tenant } from '../types.js';

/** Each run is one request of 1 ms, and none is staged. */
const timer = { id: 't', podClass: 'p', overheadMs: 0, perRowMs: 1, capacity: 1 };

interface Setting {
  readonly agingMs: number;
  readonly heavy: Tenant;
  readonly heavyBand?: number;
  readonly heavyLane?: string;
}

/** A heavy tenant with a queue of 2 s whose oldest requests have waited for longer than agingMs. */
function besideBacklog({ agingMs, heavy, heavyBand = 2, heavyLane = 'a' }: Setting): Simulation {
  const simulation = new Simulation({ targets: [timer], limits: { maxBatchRows: 1, agingMs, maxQueuedRows: 1e6 } });
  for (const lane of ['a', 'b']) simulation.learn([1], 8, lane);
  const add = (): void => void simulation.submit({ tenant: heavy, band: heavyBand, lane: heavyLane, shapeClass: heavyLane });
  for (let count = 0; count < 2_000; count++) add();
  // As many come as are served.
  simulation.onDone = ({ tenant }) => tenant === heavy && add();
  simulation.clock.advance(Math.max(3 * agingMs, 200) + 0.5);
  return simulation;
}

describe('a queue that is older than agingMs', () => {
  test.each<[string, Partial<Setting>, number]>([
    ['in one lane', {}, 2],
    ['in lanes of their own', { heavyLane: 'b' }, 2],
    ['the queue in a lower band', { heavyBand: 4 }, 2],
    ['a band apart, and each in a lane', { heavyBand: 3, heavyLane: 'b' }, 2],
    ['both in a low band', { heavyBand: 5 }, 5],
  ])("does not make another tenant's new requests wait for more than a turn: %s", (_, setting, band) => {
    const simulation = besideBacklog({ agingMs: 50, heavy: { weight: 1 }, ...setting });
    const light: Tenant = { weight: 1 };
    const own: SimRequest[] = [];
    for (let count = 0; count < 100; count++) {
      own.push(simulation.submit({ tenant: light, band, lane: 'a', shapeClass: 'a' }));
      simulation.clock.advance(7.3);
    }
    // The run under way, one of the other's, its own.
    for (const request of own) expect(simulation.latencyMs(request)).toBeLessThanOrEqual(3 + 1e-6);
  });

  test('buys nothing: of what is served each has its weight within 5 %', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0.5, 1, 3),
        fc.constantFrom(0.5, 1, 3),
        fc.constantFrom(20, 100, 400),
        fc.integer({ min: 2, max: 4 }),
        fc.integer({ min: 0, max: 2 }),
        fc.boolean(),
        (heavyWeight, weight, agingMs, band, lower, apart) => {
          const heavy: Tenant = { weight: heavyWeight };
          const simulation = besideBacklog({ agingMs, heavy, heavyBand: band + lower, heavyLane: apart ? 'b' : 'a' });
          const me: Tenant = { weight };
          const add = (): void => void simulation.submit({ tenant: me, band, lane: 'a', shapeClass: 'a' });
          let [mine, all] = [0, 0];
          simulation.onRun = ({ members }) => {
            all += 1;
            if (members[0]?.tenant !== me) return;
            mine += 1;
            add();
          };
          // Always some of mine that are new: none waits for as long as agingMs.
          for (let count = 0; count < 3; count++) add();
          simulation.clock.advance(800);
          expect(Math.abs(mine / all / (weight / (weight + heavyWeight)) - 1)).toBeLessThan(0.05);
        },
      ),
      { numRuns: 40 },
    );
  });
});

test('the lowest band is served within its bound though its tenant is served all the time in a higher one', () => {
  const simulation = besideBacklog({ agingMs: 50, heavy: { weight: 1 }, heavyBand: 1 });
  const me: Tenant = { weight: 1 };
  simulation.onRun = ({ members }) =>
    void (members[0]?.tenant === me && simulation.submit({ tenant: me, band: 1, lane: 'a', shapeClass: 'a' }));
  for (let count = 0; count < 5; count++) simulation.submit({ tenant: me, band: 1, lane: 'a', shapeClass: 'a' });
  const low = simulation.submit({ tenant: me, band: 4, lane: 'a', shapeClass: 'a' });
  // Three times agingMs to band 1, where it is overdue by then: what of its own came before it, and as much of the other's.
  simulation.clock.advance(200);
  expect(simulation.latencyMs(low)).toBeLessThanOrEqual(3 * 50 + 2 * 6 + 2);
});
