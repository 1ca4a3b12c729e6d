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

/**
 * The reader has gone: `headrace models | head -1`, or the terminal was closed. That is its right and no error. What runs
 * on is asked to end as by Ctrl-C, once, so that `up` drains; everything else just ends.
 */
let readerGone = false;
process.stdout.on('error', () => {
  if (readerGone) return;
  readerGone = true;
  if (process.listenerCount('SIGHUP') === 0) process.exit(0);
  process.emit('SIGHUP', 'SIGHUP');
});
// Nowhere is left to say that there is nowhere to say it.
process.stderr.on('error', () => undefined);

process.exitCode = await runCli(process.argv.slice(2), io);
