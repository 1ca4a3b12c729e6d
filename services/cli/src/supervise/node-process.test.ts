import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Exit } from './child-state.js';
import { nodeProcesses } from './node-process.js';
import { portState } from './port-check.js';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

const exitWithParent = new URL('../../dist/supervise/exit-with-parent.js', import.meta.url);
const startNodeProcess = nodeProcesses(exitWithParent);
const stub = fileURLToPath(new URL('../../dist/testing/stub-server.js', import.meta.url));
// Starting a process takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'node-process-test-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function run(program: string) {
  const lines: string[] = [];
  let announced: () => void;
  const ready = new Promise<void>((resolve) => (announced = resolve));
  let child: ReturnType<typeof startNodeProcess> | undefined;
  const exit = new Promise<Exit>((resolve) => {
    child = startNodeProcess(
      { program, args: [], env: process.env },
      {
        onStdoutLine: (line) => {
          lines.push(`out ${line}`);
          if (line.includes('"ready"')) announced();
        },
        onStderrLine: (line) => lines.push(`err ${line}`),
        onExit: resolve,
      },
    );
  });
  return { lines, ready, exit, kill: (signal: NodeJS.Signals) => child?.kill(signal) };
}

test('lines of both streams arrive, and a SIGTERM is an exit with code 0', async () => {
  const child = run(stub);
  await child.ready;
  child.kill('SIGTERM');
  expect(await child.exit).toEqual({ code: 0, signal: null });
  expect(child.lines.some((line) => line.startsWith('out {"event":"ready"'))).toBe(true);
  expect(child.lines.some((line) => line.startsWith('err {"level":"warn"'))).toBe(true);
});

test('a killed child is told by its signal', async () => {
  const child = run(stub);
  await child.ready;
  child.kill('SIGKILL');
  expect(await child.exit).toEqual({ code: null, signal: 'SIGKILL' });
});

test('the last line of a dying child, without a newline, is not lost', async () => {
  const program = join(folder, 'dies.mjs');
  writeFileSync(program, "process.stderr.write('the reason'); process.exitCode = 3;");
  const child = run(program);
  expect(await child.exit).toEqual({ code: 3, signal: null });
  expect(child.lines).toEqual(['err the reason']);
});

test('a child ends when its parent is killed with SIGKILL', async () => {
  const parent = join(folder, 'parent.mjs');
  const module = pathToFileURL(fileURLToPath(new URL('../../dist/supervise/node-process.js', import.meta.url))).href;
  writeFileSync(
    parent,
    `import { nodeProcesses } from ${JSON.stringify(module)};
     const child = nodeProcesses(new URL(${JSON.stringify(exitWithParent.href)}))({ program: ${JSON.stringify(stub)}, args: [], env: process.env },
       { onStdoutLine: (line) => line.includes('"ready"') && console.log(child.pid), onStderrLine: () => {}, onExit: () => {} });`,
  );
  const running = spawn(process.execPath, [parent], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output] = (await once(running.stdout, 'data')) as [Buffer];
  const pid = Number(output.toString());
  expect(process.kill(pid, 0)).toBe(true);
  running.kill('SIGKILL');
  await once(running, 'exit');
  await gone(pid);
  // Less than the 40 s after which it would be killed: it is the drain that has to end it.
}, 30_000);

/** Resolves when there is no such process; the test's own time limit ends it otherwise. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('a port in use is told from a free one', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  expect(await portState('127.0.0.1', port)).toBe('taken');
  server.close();
  await once(server, 'close');
  expect(await portState('127.0.0.1', port)).toBe('free');
  expect(await portState('203.0.113.7', 0)).toBe('no such address');
});
