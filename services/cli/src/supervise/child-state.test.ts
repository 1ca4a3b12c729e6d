import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import type { ChildEvent, ChildState } from './child-state.js';
import { describeExit, restartDelayMs, restartPolicy, step } from './child-state.js';

type State = ChildState<string>;
const crash = { code: 1, signal: null };
const idle: State = { kind: 'idle' };
const starting: State = { kind: 'starting', failures: 0, everReady: false };
const ready: State = { kind: 'ready', failures: 0, sinceMs: 1000, announced: 'port 1' };
const next = (state: State, event: ChildEvent<string>, nowMs = 2000) => step(state, event, nowMs, 0);

describe('a process', () => {
  test('is spawned at the start and ready when it says so', () => {
    expect(next(idle, { kind: 'start' })).toEqual({ state: starting, actions: [{ kind: 'spawn' }] });
    expect(next(starting, { kind: 'announced', announced: 'port 1' }, 1000)).toEqual({ state: ready, actions: [] });
  });

  test('that crashes is started again after a wait', () => {
    const crashed = next(ready, { kind: 'exited', exit: crash });
    expect(crashed.state).toMatchObject({ kind: 'waiting', failures: 1, everReady: true, untilMs: 2100 });
    expect(crashed.actions).toEqual([{ kind: 'wait', delayMs: 100 }]);
    expect(next(crashed.state, { kind: 'timer' })).toMatchObject({
      state: { kind: 'starting', failures: 1 },
      actions: [{ kind: 'spawn' }],
    });
  });

  test('that crashes soon after each start waits longer each time', () => {
    expect(next({ ...ready, failures: 4 }, { kind: 'exited', exit: crash }).state).toMatchObject({ failures: 5, untilMs: 2000 + 1600 });
  });

  test('that was ready for a minute has recovered: its next crash counts as the first', () => {
    expect(next({ ...ready, failures: 9 }, { kind: 'exited', exit: crash }, 1000 + 60_000).state).toMatchObject({
      kind: 'waiting',
      failures: 1,
    });
  });

  test('that never came up is given up after three tries', () => {
    expect(next({ ...starting, failures: 1 }, { kind: 'exited', exit: crash }).state.kind).toBe('waiting');
    expect(next({ ...starting, failures: 2 }, { kind: 'exited', exit: crash }).state).toEqual({
      kind: 'stopped',
      exit: crash,
      gaveUp: true,
    });
  });

  test('that refuses its flags is given up at once', () => {
    expect(next(starting, { kind: 'exited', exit: { code: 2, signal: null } }).state).toMatchObject({ kind: 'stopped', gaveUp: true });
  });

  test('that was ready once is never given up', () => {
    expect(next({ ...starting, failures: 50, everReady: true }, { kind: 'exited', exit: crash }).state.kind).toBe('waiting');
  });

  test('that hangs is killed, and started again once it is gone', () => {
    const hung = next(ready, { kind: 'hung' });
    expect(hung).toEqual({ state: ready, actions: [{ kind: 'kill' }] });
    expect(next(hung.state, { kind: 'exited', exit: { code: null, signal: 'SIGKILL' } }).state.kind).toBe('waiting');
  });

  test('that hangs at its start is killed too, and counts as one that failed to start', () => {
    const hung = next({ ...starting, failures: 1 }, { kind: 'hung' });
    expect(hung).toEqual({ state: { ...starting, failures: 1 }, actions: [{ kind: 'kill' }] });
    const killed = { kind: 'exited', exit: { code: null, signal: 'SIGKILL' } } as const;
    expect(next(starting, killed).state).toMatchObject({ kind: 'waiting', failures: 1 });
    expect(next({ ...starting, failures: 2 }, killed).state).toMatchObject({ kind: 'stopped', gaveUp: true });
  });

  test('that does not run, or stops within a time limit of its own, is not killed for hanging', () => {
    const waiting = next(ready, { kind: 'exited', exit: crash }).state;
    for (const state of [idle, waiting, next(ready, { kind: 'stop' }).state]) {
      expect(next(state, { kind: 'hung' })).toEqual({ state, actions: [] });
    }
  });

  test('that is asked to stop is told to, and its exit is no crash', () => {
    const stopping = next(ready, { kind: 'stop' });
    expect(stopping).toEqual({ state: { kind: 'stopping' }, actions: [{ kind: 'terminate' }] });
    expect(next(stopping.state, { kind: 'exited', exit: { code: 0, signal: null } })).toMatchObject({
      state: { kind: 'stopped', gaveUp: false },
      actions: [],
    });
  });

  test('that waits for its restart is not started any more after a stop', () => {
    const waiting = next(ready, { kind: 'exited', exit: crash }).state;
    const stopped = next(waiting, { kind: 'stop' });
    expect(stopped).toMatchObject({ state: { kind: 'stopped' }, actions: [{ kind: 'cancelWait' }] });
    expect(next(stopped.state, { kind: 'timer' }).actions).toEqual([]);
  });
});

test('any story: never two processes at once, and none after a stop', () => {
  const event = fc.constantFrom<ChildEvent<string>>(
    { kind: 'start' },
    { kind: 'announced', announced: 'p' },
    { kind: 'exited', exit: crash },
    { kind: 'timer' },
    { kind: 'hung' },
    { kind: 'stop' },
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      let state: State = idle;
      let running = 0;
      let wasStopped = false;
      for (const happened of events) {
        // A process that does not run cannot exit or announce.
        if (running === 0 && (happened.kind === 'exited' || happened.kind === 'announced')) continue;
        if (happened.kind === 'exited') running -= 1;
        wasStopped ||= happened.kind === 'stop';
        const result = next(state, happened);
        state = result.state;
        const spawned = result.actions.filter((action) => action.kind === 'spawn').length;
        running += spawned;
        if (running > 1 || (wasStopped && spawned > 0)) return false;
      }
      return true;
    }),
  );
});

test('the wait grows to its limit, and half of it is certain', () => {
  expect([1, 2, 3].map((failures) => restartDelayMs(failures, 0))).toEqual([100, 200, 400]);
  expect([1, 2, 3].map((failures) => restartDelayMs(failures, 1))).toEqual([200, 400, 800]);
  expect(restartDelayMs(1000, 1)).toBe(restartPolicy.maxDelayMs);
});

test.each([
  [{ code: 3, signal: null }, 'exited with code 3'],
  [{ code: null, signal: 'SIGKILL' as const }, 'was killed by SIGKILL'],
  [{ code: null, signal: null }, 'could not be started'],
])('%j reads "%s"', (exit, text) => {
  expect(describeExit(exit)).toBe(text);
});
