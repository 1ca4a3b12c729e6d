import { text } from 'node:stream/consumers';
import { systemClock } from '@headrace/runtime';
import pc from 'picocolors';
import type { Io, Output } from './io.js';
import { wantsColor } from './io.js';
import { runCli } from './program.js';

function output(stream: NodeJS.WriteStream): Output {
  return {
    write: (chunk) => void stream.write(chunk),
    isTty: stream.isTTY,
    get columns() {
      return stream.columns ?? 80;
    },
  };
}

const io: Io = {
  stdout: output(process.stdout),
  stderr: output(process.stderr),
  readStdin: () => text(process.stdin),
  env: process.env,
  clock: systemClock,
  cwd: process.cwd(),
  random: Math.random,
  colors: pc.createColors(wantsColor(process.env, process.stdout.isTTY)),
  onInterrupt: (listener) => {
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    for (const signal of signals) process.on(signal, listener);
    return () => {
      for (const signal of signals) process.off(signal, listener);
    };
  },
};

// `headrace models | head -1` closes the pipe early: that is the reader's right, not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runCli(process.argv.slice(2), io);
