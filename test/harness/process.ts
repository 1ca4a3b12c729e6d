import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

export interface StartOptions {
  /** For messages; default: the command's last path segment. */
  readonly name?: string;
  readonly cwd?: string;
  /** Added to this process's environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Signals go to the program and all it started, as a terminal's Ctrl-C does: npm and npx do not pass every signal on. */
  readonly group?: boolean;
}

export interface Exit {
  /** null: ended by `signal`. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const defaultWaitMs = 60_000;
const defaultStopMs = 20_000;
/** Per stream: enough for any failure's story, bounded for a server that logs each request. */
const keptChars = 256 * 1024;

const running = new Set<RunningProcess>();
// A crashed test worker must not leave servers behind.
process.on('exit', () => {
  for (const left of running) left.kill('SIGKILL');
});

/** A program under test, killed by its own pid and never by name. */
export class RunningProcess {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #group: boolean;
  #stdout = '';
  #stderr = '';
  #exit: Exit | undefined;
  readonly #watchers = new Set<() => void>();

  private constructor(name: string, child: ChildProcess, pid: number, group: boolean) {
    this.name = name;
    this.pid = pid;
    this.#child = child;
    this.#group = group;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout = keepEnd(this.#stdout + text);
      this.#changed();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = keepEnd(this.#stderr + text);
      this.#changed();
    });
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#exit = { code, signal };
        running.delete(this);
        this.#changed();
        resolve(this.#exit);
      });
    });
    running.add(this);
  }

  /** Rejects when the program cannot be started at all, e.g. because it is not there. */
  static start(command: string, args: readonly string[], options: StartOptions = {}): Promise<RunningProcess> {
    const name = options.name ?? command.slice(command.lastIndexOf('/') + 1);
    const group = options.group === true;
    const env = { ...process.env, ...options.env };
    const child = spawn(command, args, { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: group });
    return new Promise((resolve, reject) => {
      child.once('error', (error) => reject(new Error(`cannot start ${name}`, { cause: error })));
      child.once('spawn', () => resolve(new RunningProcess(name, child, child.pid ?? 0, group)));
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#exit !== undefined) return;
    if (this.#group) process.kill(-this.pid, signal);
    else this.#child.kill(signal);
  }

  /** Sends SIGTERM and waits; a program that is still there after `withinMs` is killed, and this rejects. */
  async stop(withinMs: number = defaultStopMs, signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.kill(signal);
    const ended = await Promise.race([this.exited, sleep(withinMs, undefined, { ref: false })]);
    if (ended !== undefined) return ended;
    this.kill('SIGKILL');
    await this.exited;
    throw new Error(`${this.name} (pid ${this.pid}) did not end within ${withinMs} ms of ${signal}\n${this.#story()}`);
  }

  /** The first defined answer of `find`, asked again after each piece of output. Rejects when the program ends or time is up. */
  async waitFor<T>(
    what: string,
    find: (seen: { stdout: string; stderr: string }) => T | undefined,
    withinMs: number = defaultWaitMs,
  ): Promise<T> {
    const untilMs = performance.now() + withinMs;
    for (;;) {
      const found = find({ stdout: this.#stdout, stderr: this.#stderr });
      if (found !== undefined) return found;
      if (this.#exit !== undefined) {
        throw new Error(`${this.name} ended (${this.#exit.code ?? this.#exit.signal}) before ${what}\n${this.#story()}`);
      }
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) throw new Error(`${this.name}: no ${what} within ${withinMs} ms\n${this.#story()}`);
      await this.#nextChange(leftMs);
    }
  }

  /** Waits for a JSON line on standard output that `accept` takes, e.g. `{"event":"ready","grpcPort":8001}`. */
  announced<T>(what: string, accept: (line: unknown) => T | undefined, withinMs?: number): Promise<T> {
    return this.waitFor(
      what,
      ({ stdout }) => {
        for (const line of stdout.split('\n').slice(0, -1)) {
          const found = line.startsWith('{') ? accept(parseJson(line)) : undefined;
          if (found !== undefined) return found;
        }
        return undefined;
      },
      withinMs,
    );
  }

  #nextChange(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, withinMs);
      this.#watchers.add(done);
    });
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }

  #story(): string {
    return `--- stdout\n${this.#stdout.slice(-4_000)}\n--- stderr\n${this.#stderr.slice(-4_000)}`;
  }
}

export function startProcess(command: string, args: readonly string[], options?: StartOptions): Promise<RunningProcess> {
  return RunningProcess.start(command, args, options);
}

/** Kills what is still running and says what it was; a test file that leaves anything has failed. */
export async function killLeftProcesses(): Promise<readonly string[]> {
  const left = [...running];
  for (const each of left) each.kill('SIGKILL');
  await Promise.all(left.map((each) => each.exited));
  return left.map((each) => `${each.name} (pid ${each.pid})`);
}

function keepEnd(text: string): string {
  return text.length > keptChars ? text.slice(-keptChars) : text;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
