import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { Clock, Timer } from '@headrace/runtime';
import { watch } from 'chokidar';

export interface TextListener {
  onText(text: string): void;
  /** What was read last stays in force. For people; names the file. */
  onProblem(problem: string): void;
}

export interface FileWatch {
  close(): Promise<void>;
}

/** Editors write in several steps; a file is read once it was quiet for this long. */
const settleMs = 50;

/**
 * Calls onText with the file's text before it resolves, unless that is `known` already, and then at each change.
 *
 * Two watches: the folder, because a file replaced by rename (editors, Kubernetes' ..data link) is another inode, and a
 * watch on the old one sees nothing more; its links are not followed, or a link that leads elsewhere now would go
 * unnoticed. And the file with links followed, for a link to a file of another folder that is written in place.
 */
export async function watchFile(file: string, clock: Clock, listener: TextListener, known?: string): Promise<FileWatch> {
  const path = resolve(file);
  const folder = dirname(path);
  const reader = new Reader(path, known, listener);
  let timer: Timer | undefined;
  const soon = (): void => {
    timer?.cancel();
    timer = clock.setTimer(() => void reader.read(), settleMs);
  };
  const ignored = (seen: string): boolean => resolve(seen) !== folder && basename(seen) !== basename(path) && basename(seen) !== '..data';
  const watchers = [
    watch(folder, { ignoreInitial: true, depth: 0, followSymlinks: false, ignored }),
    watch(path, { ignoreInitial: true, followSymlinks: true }),
  ];
  for (const watcher of watchers) {
    watcher.on('all', soon);
    watcher.on('error', () => listener.onProblem(`${file}: the file system cannot be watched; changes are not seen`));
  }
  await Promise.all(watchers.map((watcher) => new Promise<void>((ready) => watcher.once('ready', ready))));
  // Only now, so that a change between the read and the watch's beginning is not missed.
  await reader.read();
  return {
    close: async () => {
      reader.closed = true;
      await Promise.all(watchers.map((watcher) => watcher.close()));
      timer?.cancel();
    },
  };
}

/** "FILE: cannot be read (ENOENT)" */
export function unreadable(file: string, error: unknown): string {
  return `${file}: cannot be read (${error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'})`;
}

/** One read at a time; a change during a read leads to another one. The same text again is no change. */
class Reader {
  closed = false;
  readonly #file: string;
  readonly #listener: TextListener;
  #text: string | undefined;
  #busy = false;
  #again = false;

  constructor(file: string, text: string | undefined, listener: TextListener) {
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
      const read = await readFile(this.#file, 'utf8').then(
        (text) => ({ text }),
        (error: unknown) => ({ problem: unreadable(this.#file, error) }),
      );
      if (this.closed) return;
      this.#take(read);
    } while (this.#again);
    this.#busy = false;
  }

  #take(read: { readonly text: string } | { readonly problem: string }): void {
    if ('problem' in read) return this.#listener.onProblem(read.problem);
    if (read.text === this.#text) return;
    this.#text = read.text;
    this.#listener.onText(read.text);
  }
}
