import { spawn } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../log/logger.js';
import { FakeClock } from '../testing/fake-clock.js';
import { Lifecycle } from './lifecycle.js';
import type { ProcessLike } from './signals.js';
import { installSignals } from './signals.js';

// Real processes on a machine that may be busy: the limit only ends what hangs.
vi.setConfig({ testTimeout: 30_000 });

class FakeProcess extends EventEmitter implements ProcessLike {
  exitCode: number | string | null | undefined;
  exits: number[] = [];
  exit(code: number): void {
    this.exits.push(code);
  }
}

function setUp(step: () => Promise<void> = async () => {}) {
  const target = new FakeProcess();
  const lifecycle = new Lifecycle({ clock: new FakeClock(), logger: silentLogger, graceMs: 1_000 });
  let drains = 0;
  lifecycle.onDrain('step', async () => {
    drains++;
    await step();
  });
  const drained: number[] = [];
  const remove = installSignals(lifecycle, { logger: silentLogger, process: target, onDrained: (code) => drained.push(code) });
  return { target, lifecycle, remove, drained, drains: () => drains };
}

describe('installSignals', () => {
  it.each(['SIGTERM', 'SIGINT'])('%s drains, and lets the process end by itself with 0', async (signal) => {
    const { target, lifecycle, drained, drains } = setUp();
    target.emit(signal);
    await lifecycle.drain('wait');
    expect([target.exitCode, target.exits, drains(), drained]).toEqual([0, [], 1, [0]]);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ])('a second signal, %s, leaves at once with %i', (signal, code) => {
    const { target } = setUp(async () => new Promise(() => {}));
    target.emit('SIGINT');
    target.emit(signal);
    expect(target.exits).toEqual([code]);
  });

  it.each(['uncaughtException', 'unhandledRejection'])('%s drains and ends with 1', async (event) => {
    const { target, lifecycle, drains } = setUp();
    target.emit(event, new Error('x'));
    await lifecycle.drain('wait');
    expect([target.exitCode, drains(), target.exits]).toEqual([1, 1, []]);
  });

  it('a failure during the drain of a signal ends with 1', async () => {
    const { target, lifecycle } = setUp();
    target.emit('SIGTERM');
    target.emit('unhandledRejection', 'x');
    await lifecycle.drain('wait');
    expect(target.exitCode).toBe(1);
  });

  it('a failed drain step ends with 1', async () => {
    const { target, lifecycle } = setUp(async () => Promise.reject(new Error('x')));
    target.emit('SIGTERM');
    await lifecycle.drain('wait');
    expect(target.exitCode).toBe(1);
  });

  it('takes its listeners off again', () => {
    const { target, remove } = setUp();
    remove();
    expect(target.eventNames()).toEqual([]);
  });
});

describe('in a real process', () => {
  const built = fileURLToPath(new URL('../../dist/index.js', import.meta.url));
  const program = (body: string): string => `
    import { Lifecycle, createLogger, installSignals, systemClock } from ${JSON.stringify(built)};
    const logger = createLogger({ name: 'child' });
    const lifecycle = new Lifecycle({ clock: systemClock, logger, graceMs: 5000 });
    const hold = setInterval(() => {}, 1000);
    lifecycle.onDrain('work', async () => { clearInterval(hold); process.stdout.write('drained'); });
    installSignals(lifecycle, { logger, stuckAfterMs: 200 });
    process.stdout.write('ready ');
    ${body}`;

  async function run(body: string, signal?: NodeJS.Signals): Promise<{ code: number | null; out: string; log: string }> {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program(body)], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let log = '';
    child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
    child.stdout.on('data', (chunk: Buffer) => {
      if (out === '' && signal !== undefined) child.kill(signal);
      out += chunk.toString();
    });
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, out, log };
  }

  it.each<[string, string, NodeJS.Signals | undefined, number]>([
    ['SIGTERM', '', 'SIGTERM', 0],
    ['SIGINT', '', 'SIGINT', 0],
    ['an uncaught exception', 'setTimeout(() => { throw new Error("boom"); }, 1);', undefined, 1],
    ['an unhandled rejection', 'void Promise.reject(new Error("boom"));', undefined, 1],
  ])(
    'ends by itself after %s, drained, with the last log lines written',
    async (_name, body, signal, code) => {
      const result = await run(body, signal);
      expect(result).toMatchObject({ code, out: 'ready drained' });
      expect(result.log).toContain('"message":"drained"');
      expect(result.log.includes('boom')).toBe(code === 1);
    },
    20_000,
  );

  it('leaves a drained process that something keeps alive, naming it', async () => {
    const result = await run('setInterval(() => {}, 1000);', 'SIGTERM');
    expect(result).toMatchObject({ code: 0, out: 'ready drained' });
    expect(result.log).toContain('still alive');
    expect(result.log).toContain('Timeout');
  });

  it('leaves at once on a second signal', async () => {
    const result = await run(
      'lifecycle.onDrain("stuck", () => new Promise(() => {})); setTimeout(() => { process.kill(process.pid, "SIGTERM"); process.kill(process.pid, "SIGINT"); }, 1);',
    );
    expect(result.code).toBe(130);
  });
});
