interface Mean {
  valueMs: number;
  atMs: number;
}

/** Without a new sample for this long, half of what was learnt is forgotten. */
const halfLifeMs = 10_000;
/** One sample moves the mean by at most a tenth of itself, or of this. */
const leastStepMs = 1;

/**
 * What a call to a backend costs besides the run that it reports, ms: network, framing, the server's own work. Learnt
 * from runs that began as soon as they were handed over, as an exponential mean over about ten of them.
 *
 * The router prefers low figures, so a wrong high one would keep itself: a backend that is never picked is never measured.
 * Hence a sample counts for at most twice the mean (a process stopped for 9 s moves 1 ms to 1.1 ms, while a link that
 * really became slower is learnt in a few dozen calls), and what is not confirmed fades.
 */
export class CallOverhead {
  readonly #means = new Map<string, Mean>();

  observe(backend: string, overheadMs: number, nowMs: number): void {
    const sample = Math.max(overheadMs, 0);
    const known = this.#means.get(backend);
    if (known === undefined) {
      this.#means.set(backend, { valueMs: sample, atMs: nowMs });
      return;
    }
    const before = faded(known, nowMs);
    known.valueMs = before + 0.1 * (Math.min(sample, before + Math.max(before, leastStepMs)) - before);
    known.atMs = nowMs;
  }

  of(backend: string, nowMs: number): number {
    const known = this.#means.get(backend);
    return known === undefined ? 0 : faded(known, nowMs);
  }

  forget(backend: string): void {
    this.#means.delete(backend);
  }

  keep(backends: ReadonlySet<string>): void {
    for (const name of this.#means.keys()) if (!backends.has(name)) this.#means.delete(name);
  }
}

function faded({ valueMs, atMs }: Mean, nowMs: number): number {
  const idleMs = nowMs - atMs;
  // A busy backend is measured all the time: no power to compute.
  return idleMs < 100 ? valueMs : valueMs * 0.5 ** (idleMs / halfLifeMs);
}
