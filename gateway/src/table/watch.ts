import { readFile } from 'node:fs/promises';
import { watch } from 'chokidar';
import { basename, dirname, resolve } from 'node:path';
import { formatProblem } from '@headrace/runtime';
import type { Clock, Timer } from '@headrace/runtime';
import type { GatewayTable } from '../domain/gateway-table.js';
import { parseTable } from './parse.js';

export interface TableListener {
  onTable(table: GatewayTable): void;
  /** The file is unusable; the table in use stays. One line per problem. */
  onProblems(problems: readonly string[]): void;
}

export interface TableWatch {
  close(): Promise<void>;
}

/** Editors write in several steps; a file is read once it was quiet for this long. */
const settleMs = 50;

/** Reads the table once; the problems are lines for people. */
export async function readTable(
  file: string,
): Promise<{ ok: true; table: GatewayTable; text: string } | { ok: false; problems: readonly string[] }> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return {
      ok: false,
      problems: [`${file}: cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'})`],
    };
  }
  const parsed = parseTable(text, file);
  return parsed.ok ? { ok: true, table: parsed.value, text } : { ok: false, problems: parsed.refusal.map(formatProblem) };
}

/**
 * Watches the folder rather than the file, because a file replaced by rename (editors, Kubernetes' ..data link) is
 * another inode, and a watch on the old one sees nothing more.
 */
export async function watchTable(file: string, text: string, clock: Clock, listener: TableListener): Promise<TableWatch> {
  const path = resolve(file);
  const reader = new Reader(path, text, listener);
  let timer: Timer | undefined;
  const soon = (): void => {
    timer?.cancel();
    timer = clock.setTimer(() => void reader.read(), settleMs);
  };
  const watcher = watch(dirname(path), {
    ignoreInitial: true,
    depth: 0,
    ignored: (seen) => resolve(seen) !== dirname(path) && basename(seen) !== basename(path) && basename(seen) !== '..data',
  });
  watcher.on('all', soon);
  watcher.on('error', () => listener.onProblems([`${file}: the file system cannot be watched; changes are not seen`]));
  await new Promise<void>((ready) => watcher.once('ready', ready));
  // A change between the first read and the watch's beginning.
  soon();
  return {
    close: async () => {
      timer?.cancel();
      reader.closed = true;
      await watcher.close();
    },
  };
}

/** One read at a time; a change during a read leads to another one. The same text again is no change. */
class Reader {
  closed = false;
  readonly #file: string;
  readonly #listener: TableListener;
  #text: string;
  #busy = false;
  #again = false;

  constructor(file: string, text: string, listener: TableListener) {
    this.#file = file;
    this.#text = text;
    this.#listener = listener;
  }

  async read(): Promise<void> {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    do {
      this.#again = false;
      const text = await readFile(this.#file, 'utf8').catch(() => undefined);
      if (this.closed) return;
      this.#take(text);
    } while (this.#again);
    this.#busy = false;
  }

  #take(text: string | undefined): void {
    if (text === undefined) {
      this.#listener.onProblems([`${this.#file}: cannot be read`]);
      return;
    }
    if (text === this.#text) return;
    this.#text = text;
    const parsed = parseTable(text, this.#file);
    if (parsed.ok) this.#listener.onTable(parsed.value);
    else this.#listener.onProblems(parsed.refusal.map(formatProblem));
  }
}
