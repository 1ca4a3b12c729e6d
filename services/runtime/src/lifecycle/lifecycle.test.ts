import { describe, expect, it } from 'vitest';
import type { LogFields, Logger } from '../log/logger.js';
import { FakeClock } from '../testing/fake-clock.js';
import { Lifecycle } from './lifecycle.js';

function setUp(graceMs = 1_000) {
  const clock = new FakeClock(0);
  const lines: string[] = [];
  const write = (fields: LogFields, message: string): void => void lines.push(`${message} ${String(fields['step'] ?? fields['reason'])}`);
  const logger: Logger = { debug: write, info: write, warn: write, error: write, isLevelEnabled: () => true, child: () => logger };
  return { clock, lines, lifecycle: new Lifecycle({ clock, logger, graceMs }) };
}

/** Lets everything that waits only on promises go on. */
const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Lifecycle', () => {
  it('runs steps in the order of registration, each told what is left of the grace', async () => {
    const { clock, lifecycle } = setUp();
    const ran: string[] = [];
    lifecycle.onDrain('server', async (graceMs) => {
      ran.push(`server ${graceMs}`);
      await new Promise<void>((resolve) => clock.setTimer(resolve, 300));
    });
    lifecycle.onDrain('metrics', async (graceMs) => void ran.push(`metrics ${graceMs}`));
    expect(lifecycle.state).toBe('running');
    const done = lifecycle.drain('SIGTERM');
    expect(lifecycle.state).toBe('draining');
    await turn();
    clock.advance(300);
    await done;
    expect([ran, lifecycle.state, lifecycle.clean, clock.pendingTimers]).toEqual([['server 1000', 'metrics 700'], 'drained', true, 0]);
  });

  it('drains once, however often it is asked to', async () => {
    const { lifecycle } = setUp();
    let runs = 0;
    lifecycle.onDrain('once', async () => void runs++);
    await Promise.all([lifecycle.drain('a'), lifecycle.drain('b')]);
    await lifecycle.drain('c');
    expect(runs).toBe(1);
  });

  it.each<[string, () => Promise<void>]>([
    ['rejects', async () => Promise.reject(new Error('x'))],
    [
      'throws before its first await',
      () => {
        throw new Error('x');
      },
    ],
  ])('goes on after a step that %s, and is not clean', async (_name, step) => {
    const { lifecycle, lines } = setUp();
    let next = false;
    lifecycle.onDrain('bad', step);
    lifecycle.onDrain('next', async () => {
      next = true;
    });
    await lifecycle.drain('a');
    expect([next, lifecycle.clean]).toEqual([true, false]);
    expect(lines).toContain('drain step failed bad');
  });

  it('gives up a step that outlives the grace by far, and gives the next one no time', async () => {
    const { clock, lifecycle, lines } = setUp(1_000);
    let given: number | undefined;
    lifecycle.onDrain('stuck', async () => new Promise(() => {}));
    lifecycle.onDrain('next', async (graceMs) => {
      given = graceMs;
    });
    const done = lifecycle.drain('a');
    await turn();
    clock.advance(1_499);
    await turn();
    expect(given).toBeUndefined();
    clock.advance(1);
    await done;
    expect([given, lifecycle.clean, lines.includes('drain step given up stuck')]).toEqual([0, false, true]);
  });

  it('takes no more steps once it drains', async () => {
    const { lifecycle } = setUp();
    await lifecycle.drain('a');
    expect(() => lifecycle.onDrain('late', async () => {})).toThrow('late');
  });
});
