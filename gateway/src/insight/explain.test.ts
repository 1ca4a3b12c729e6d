import { describe, expect, it } from 'vitest';
import { serverTiming, stagesOf } from './explain.js';

const { NaN: never } = Number;
const times = { identityMs: 0, arrivedMs: 100, queuedMs: 100.5, startedMs: 102, answeredMs: 110, endedMs: 110.25 };

describe('stages', () => {
  const cases: readonly [string, Partial<typeof times>, readonly string[]][] = [
    ['answered', {}, ['admission 0.5', 'queue 1.5', 'run 8', 'reply 0.25']],
    ['cancelled or late while it ran', { answeredMs: never }, ['admission 0.5', 'queue 1.5', 'run 8.25']],
    ['expired in its lane', { startedMs: never, answeredMs: never }, ['admission 0.5', 'queue 9.75']],
    ['refused at the door', { queuedMs: never, startedMs: never, answeredMs: never, endedMs: 100.125 }, ['admission 0.125']],
    ['asked with a new token', { identityMs: 3.5 }, ['identity 3.5', 'admission 0.5', 'queue 1.5', 'run 8', 'reply 0.25']],
    ['refused for its credential', { identityMs: 2, queuedMs: never, endedMs: 100 }, ['identity 2', 'admission 0']],
    ['never below 0, should a clock step back', { queuedMs: 99 }, ['admission 0', 'queue 3', 'run 8', 'reply 0.25']],
  ];
  it.each(cases)('of one that was %s', (_name, change, expected) => {
    expect(stagesOf({ ...times, ...change }).map(({ name, ms }) => `${name} ${ms}`)).toEqual(expected);
  });

  it('read as W3C Server-Timing', () => {
    expect(serverTiming({ ...times, queuedMs: 100.12345 })).toBe('admission;dur=0.123, queue;dur=1.877, run;dur=8, reply;dur=0.25');
  });
});
