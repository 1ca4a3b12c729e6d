/**
 * What a call to a backend costs besides the run that it reports, ms: network, framing, the server's own work. Learnt
 * from runs that began as soon as they were handed over, as an exponential mean over about ten of them.
 */
export class CallOverhead {
  readonly #means = new Map<string, number>();

  observe(backend: string, overheadMs: number): void {
    const before = this.#means.get(backend);
    const sample = Math.max(overheadMs, 0);
    this.#means.set(backend, before === undefined ? sample : before + 0.1 * (sample - before));
  }

  of(backend: string): number {
    return this.#means.get(backend) ?? 0;
  }

  keep(backends: ReadonlySet<string>): void {
    for (const name of this.#means.keys()) if (!backends.has(name)) this.#means.delete(name);
  }
}
