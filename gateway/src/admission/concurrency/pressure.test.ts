import fc from 'fast-check';
import { systemClock } from '@headrace/runtime';
import { describe, expect, test } from 'vitest';
import { pressureAfter, rawPressure } from './pressure.js';
import type { SystemSample } from './pressure.js';
import { SystemSampler } from './system-sampler.js';

const calm: SystemSample = { loopDelayP99Ms: 5, cpuShare: 0.5, memoryShare: 0.4, backendQueue: 0 };

describe('pressure', () => {
  test.each<[string, Partial<SystemSample>, number]>([
    ['nothing presses', {}, 0],
    ['a loop that is late by 140 ms', { loopDelayP99Ms: 140 }, 0.5],
    ['all CPU', { cpuShare: 1 }, 1],
    ['memory near its limit', { memoryShare: 0.875 }, 0.5],
    ['back ends with a queue', { backendQueue: 2.5 }, 0.5],
    ['the worst counts', { backendQueue: 2.5, memoryShare: 0.99 }, 1],
    ['what is not known does not press', { cpuShare: NaN, loopDelayP99Ms: NaN, memoryShare: NaN, backendQueue: NaN }, 0],
  ])('%s', (_, sample, pressure) => {
    expect(rawPressure({ ...calm, ...sample })).toBeCloseTo(pressure);
  });

  test('comes at once and goes slowly, down to nothing', () => {
    const full = { ...calm, cpuShare: 1 };
    let pressure = 0;
    for (let i = 0; i < 3; i++) pressure = pressureAfter(pressure, full);
    expect(pressure).toBeCloseTo(0.875);
    for (let i = 0; i < 3; i++) pressure = pressureAfter(pressure, calm);
    expect(pressure).toBeGreaterThan(0.6);
    for (let i = 0; i < 60; i++) pressure = pressureAfter(pressure, calm);
    expect(pressure).toBe(0);
  });

  test('a signal that trembles moves nothing', () => {
    const around = (share: number): SystemSample => ({ ...calm, cpuShare: 0.95 + share * 0.001 });
    const settled = pressureAfter(0.5, around(0));
    for (const share of [1, -1, 0.5]) expect(pressureAfter(settled, around(share))).toBe(settled);
  });

  test('is always between 0 and 1', () => {
    const any = fc.double();
    const sample = fc.record({ loopDelayP99Ms: any, cpuShare: any, memoryShare: any, backendQueue: any });
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 50 }), (samples) => {
        let pressure = 0;
        for (const each of samples) {
          pressure = pressureAfter(pressure, each);
          expect(pressure >= 0 && pressure <= 1).toBe(true);
        }
      }),
    );
  });
});

test('the sampler reads this process', () => {
  const sampler = new SystemSampler(systemClock.nowMs() - 100);
  const sample = sampler.sample(systemClock.nowMs(), 0.5);
  sampler.close();
  expect(sample.backendQueue).toBe(0.5);
  for (const value of [sample.cpuShare, sample.memoryShare]) expect(value >= 0 && Number.isFinite(value)).toBe(true);
  expect(sample.memoryShare).toBeLessThan(1);
});
