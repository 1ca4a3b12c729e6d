import { systemClock } from '@headrace/runtime';
import type { Clock } from '@headrace/runtime';
import { wireVariable } from '@headrace/wire';
import pc from 'picocolors';
import type { Io } from '../io.js';

export interface TestIo {
  readonly io: Io;
  /** All that was written so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly interrupt: () => void;
}

/** Commands under test speak over the transport that all tests are run on. */
const wire = process.env[wireVariable];
const wireToTest: Readonly<Record<string, string>> = wire === undefined ? {} : { [wireVariable]: wire };

/** An Io without a terminal and without colours, whose output is kept. */
export function testIo(
  options: { readonly stdin?: string; readonly env?: Readonly<Record<string, string>>; readonly cwd?: string; readonly clock?: Clock } = {},
): TestIo {
  let stdout = '';
  let stderr = '';
  const listeners = new Set<(signal: NodeJS.Signals) => void>();
  const io: Io = {
    stdout: { write: (text) => void (stdout += text), isTty: false, columns: 80 },
    stderr: { write: (text) => void (stderr += text), isTty: false, columns: 80 },
    readStdin: () => Promise.resolve(options.stdin ?? ''),
    env: { ...wireToTest, ...options.env },
    clock: options.clock ?? systemClock,
    cwd: options.cwd ?? process.cwd(),
    random: () => 0.5,
    colors: pc.createColors(false),
    onInterrupt: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  return {
    io,
    stdout: () => stdout,
    stderr: () => stderr,
    interrupt: () => {
      for (const listener of [...listeners]) listener('SIGINT');
    },
  };
}
