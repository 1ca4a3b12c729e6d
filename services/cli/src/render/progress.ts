import ora from 'ora';
import type { Io } from '../io.js';

/** One line that changes on a terminal; without one, each new text is a line of its own. */
export interface Progress {
  update(text: string): void;
  /** A line that stays, above the changing one. */
  note(text: string): void;
  /** Ends it, leaving nothing of the changing line. */
  stop(): void;
}

export function startProgress(io: Io, text: string): Progress {
  return io.stderr.isTty ? spinner(io, text) : plainLines(io, text);
}

function spinner(io: Io, text: string): Progress {
  // Not discardStdin: it would put the terminal into raw mode, where Ctrl-C is no signal any more.
  const spinning = ora({ text, discardStdin: false, color: io.colors.isColorSupported ? 'cyan' : false, stream: process.stderr }).start();
  return {
    update: (next) => void (spinning.text = next),
    note: (line) => {
      spinning.clear();
      io.stderr.write(`${line}\n`);
      spinning.render();
    },
    stop: () => void spinning.stop(),
  };
}

function plainLines(io: Io, text: string): Progress {
  let last = text;
  io.stderr.write(`${text}\n`);
  return {
    update: (next) => {
      if (next !== last) io.stderr.write(`${next}\n`);
      last = next;
    },
    note: (line) => io.stderr.write(`${line}\n`),
    stop: () => undefined,
  };
}
