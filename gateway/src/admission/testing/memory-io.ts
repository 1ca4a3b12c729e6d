import type { IdentityIo } from '../identity/io.js';

type Listener = Parameters<IdentityIo['watchFile']>[1];

/** Files and endpoints that a test writes and changes; no disk, no network, no time. */
export class MemoryIo implements IdentityIo {
  readonly #files = new Map<string, string>();
  readonly #listeners = new Map<string, Set<Listener>>();
  /** What an endpoint answers: text, or the error it fails with. */
  readonly endpoints = new Map<string, string | Error>();
  /** Requests to endpoints so far. */
  fetches = 0;

  write(file: string, text: string): void {
    this.#files.set(file, text);
    for (const listener of this.#listeners.get(file) ?? []) listener.onText(text);
  }

  get watched(): number {
    return [...this.#listeners.values()].reduce((sum, { size }) => sum + size, 0);
  }

  watchFile(file: string, listener: Listener): Promise<{ close(): Promise<void> }> {
    const listeners = this.#listeners.get(file) ?? new Set();
    this.#listeners.set(file, listeners.add(listener));
    const text = this.#files.get(file);
    if (text === undefined) listener.onProblem(`${file}: cannot be read (ENOENT)`);
    else listener.onText(text);
    return Promise.resolve({ close: () => Promise.resolve(void listeners.delete(listener)) });
  }

  fetchText(uri: string): Promise<string> {
    this.fetches++;
    const answer = this.endpoints.get(uri) ?? new Error('no answer');
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  }
}
