import { describe, expect, test } from 'vitest';
import { killLeftProcesses, startProcess } from './process.js';
import type { RunningProcess } from './process.js';

const node = (code: string): Promise<RunningProcess> => startProcess(process.execPath, ['-e', code], { name: 'program' });
const isReady = (line: unknown): number | undefined =>
  typeof line === 'object' && line !== null && 'port' in line && typeof line.port === 'number' ? line.port : undefined;

describe('a program under test', () => {
  test('is waited for until it announces itself, past other lines', async () => {
    const program = await node(
      `console.log('hello'); console.log('{"x":1}'); setTimeout(() => console.log('{"port":7}'), 20); setInterval(() => {}, 1000)`,
    );
    expect(await program.announced('ready', isReady)).toBe(7);
    expect(await program.stop()).toEqual({ code: null, signal: 'SIGTERM' });
  });

  test('that ends before it is ready is told with its last words', async () => {
    const program = await node(`console.error('port 8001 is taken'); process.exit(3)`);
    await expect(program.announced('ready', isReady)).rejects.toThrow(/program ended \(3\) before ready[\s\S]*port 8001 is taken/);
  });

  test('that says nothing is given up on', async () => {
    const program = await node(`setInterval(() => {}, 1000)`);
    await expect(program.announced('ready', isReady, 50)).rejects.toThrow(/no ready within 50 ms/);
    await program.stop();
  });

  test('that ignores SIGTERM is killed, and the stop fails', async () => {
    const program = await node(`process.on('SIGTERM', () => {}); console.log('{"port":1}'); setInterval(() => {}, 1000)`);
    await program.announced('ready', isReady);
    await expect(program.stop(100)).rejects.toThrow(/did not end within 100 ms of SIGTERM/);
    expect(program.exit).toEqual({ code: null, signal: 'SIGKILL' });
  });

  test('that is left running is killed and named', async () => {
    const program = await node(`setInterval(() => {}, 1000)`);
    expect(await killLeftProcesses()).toEqual([`program (pid ${program.pid})`]);
    expect(await killLeftProcesses()).toEqual([]);
  });

  test('that is not there is an error that names it', async () => {
    await expect(startProcess('no-such-program', [])).rejects.toThrow(/cannot start no-such-program/);
  });
});
