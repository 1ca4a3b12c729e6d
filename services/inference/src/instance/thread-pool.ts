import type { Logger } from '@headrace/runtime';
import type { InstanceSettings } from '../config/settings.js';
import { pinThread } from './pinning.js';
import { ThreadTurns } from './turns.js';
import { WorkerThread } from './worker-thread.js';

export type ThreadKind = 'own' | 'shared';

export interface ThreadLease {
  readonly turns: ThreadTurns;
  readonly kind: ThreadKind;
  /** The core it is bound to. */
  readonly core: number | undefined;
  /** Gives the thread back, its sessions closed. Own threads are kept for the next model or stopped. */
  release(): Promise<void>;
}

/**
 * The server's worker threads.
 *
 *     own      one thread for each model instance, until `maxOwnThreads` exist
 *     shared   one set of `quota` threads that host an instance each of every model that came later, in turns
 *
 * With a few models each instance has its thread (isolation); with a thousand models there are still only
 * maxOwnThreads + quota threads. A model that states count, cores or `threads: own` always gets its own.
 */
export class ThreadPool {
  readonly #quota: number;
  readonly #maxOwnThreads: number;
  readonly #logger: Logger;
  readonly #shared = new Map<number, ThreadTurns>();
  readonly #idle: WorkerThread[] = [];
  readonly #all = new Set<WorkerThread>();
  #own = 0;

  constructor(options: { readonly quota: number; readonly maxOwnThreads: number; readonly logger: Logger }) {
    this.#quota = options.quota;
    this.#maxOwnThreads = options.maxOwnThreads;
    this.#logger = options.logger;
  }

  get threads(): number {
    return this.#all.size;
  }

  /** `before` is what the model's previous generation had: a reload never changes it. */
  async lease(settings: InstanceSettings, before?: ThreadKind): Promise<readonly ThreadLease[]> {
    const count = settings.count ?? this.#quota;
    const kind = this.#kindFor(settings, count, before);
    if (kind === 'shared') return Array.from({ length: count }, (_, index) => this.#sharedLease(index));
    // Counted before the first wait, so that models that load at the same time see each other.
    this.#own += count;
    return Promise.all(Array.from({ length: count }, async (_, index) => this.#ownLease(settings.cores[index % settings.cores.length])));
  }

  #kindFor(settings: InstanceSettings, count: number, before: ThreadKind | undefined): ThreadKind {
    if (settings.threads !== 'auto') return settings.threads;
    return before ?? (this.#own + count <= this.#maxOwnThreads ? 'own' : 'shared');
  }

  #sharedLease(index: number): ThreadLease {
    const slot = index % this.#quota;
    // A thread that was lost is replaced for those that come after; its sessions went with it.
    let turns = this.#shared.get(slot);
    if (turns === undefined) this.#shared.set(slot, (turns = new ThreadTurns(this.#start(() => this.#shared.delete(slot)))));
    return { turns, kind: 'shared', core: undefined, release: async () => {} };
  }

  async #ownLease(core: number | undefined): Promise<ThreadLease> {
    // Only unpinned threads are kept, so that none comes back with another model's core.
    const thread = (core === undefined ? this.#idle.pop() : undefined) ?? this.#start(() => this.#forgetIdle(thread));
    const pinned = core === undefined ? undefined : await this.#pin(thread, core);
    let released = false;
    return {
      turns: new ThreadTurns(thread),
      kind: 'own',
      core: pinned,
      release: async () => {
        if (released) return;
        released = true;
        this.#own--;
        if (core === undefined && !thread.lost && this.#idle.length < this.#quota) this.#idle.push(thread);
        else await thread.stop();
      },
    };
  }

  async #pin(thread: WorkerThread, core: number): Promise<number | undefined> {
    const pinning = await pinThread(await thread.threadId, core);
    if (pinning.ok) return core;
    this.#logger.warn({ core, reason: pinning.message }, 'an instance could not be pinned and runs on any core');
    return undefined;
  }

  #start(onLost: () => void): WorkerThread {
    const thread = new WorkerThread();
    this.#all.add(thread);
    thread.onLost(() => {
      this.#all.delete(thread);
      onLost();
    });
    void thread.exited.then(() => this.#all.delete(thread));
    return thread;
  }

  #forgetIdle(thread: WorkerThread): void {
    const index = this.#idle.indexOf(thread);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  /** Each thread ends after the run it is in, if any. */
  async stop(): Promise<void> {
    await Promise.all([...this.#all].map((thread) => thread.stop()));
  }
}
