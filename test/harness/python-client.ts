import { join } from 'node:path';
import { mustRun } from './command.js';
import { paths } from './paths.js';
import type { Tool } from './tools.js';

/** Runs a program of test/clients, which prints one JSON value, e.g. runPython(python, 'triton_sync.py', ['--address', a, 'server']). */
export async function runPython(tool: Tool, program: string, args: readonly string[], timeoutMs = 60_000): Promise<unknown> {
  const printed = await mustRun(tool.path, [join(paths.clients, program), ...args], {
    env: { ...tool.env, PYTHONDONTWRITEBYTECODE: '1' },
    timeoutMs,
  });
  return JSON.parse(printed);
}
