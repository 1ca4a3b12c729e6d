import { spawn } from 'node:child_process';
import { LineSplitter } from './line-splitter.js';
import type { RunningProcess, StartProcess } from './process-port.js';

/**
 * Starts programs under this Node.js. `exitWithParent` is the module exit-with-parent.js, which each child loads first.
 *
 * Two rules keep children and parent together:
 * - the child has a process group of its own, so that Ctrl-C in the terminal reaches the parent alone and it can drain
 *   the gateway before the replicas;
 * - the child's standard input is a pipe that nothing is ever written to. Whatever becomes of the parent, kill -9
 *   included, the kernel closes it, and the child drains and exits at its end.
 */
export function nodeProcesses(exitWithParent: URL): StartProcess {
  return (spec, listener): RunningProcess => {
    const args = ['--import', exitWithParent.href, spec.program, ...spec.args];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], env: spec.env, detached: true });
    const out = new LineSplitter((line) => listener.onStdoutLine(line));
    const err = new LineSplitter((line) => listener.onStderrLine(line));
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    // The child may be gone before the pipe is: EPIPE tells nothing new.
    child.stdin.on('error', () => undefined);
    let ended = false;
    const finish = (code: number | null, signal: NodeJS.Signals | null): void => {
      if (ended) return;
      ended = true;
      out.end();
      err.end();
      listener.onExit({ code, signal });
    };
    child.on('error', (error) => {
      listener.onStderrLine(error.message);
      if (child.pid === undefined) finish(null, null);
    });
    // 'close' and not 'exit': the last lines of a dying process say why.
    child.on('close', finish);
    return {
      pid: child.pid,
      kill: (signal) => {
        if (!ended) child.kill(signal);
      },
    };
  };
}
