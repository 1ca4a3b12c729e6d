/**
 * Counters that survive the restart of who counts: a value below the last one seen means that the source began again
 * from zero, and what it had counted until then is kept as an offset.
 *
 *   source:   5  9 | 2  6      (| = restart)
 *   told:     5  9  11 15
 */
export class MonotonicCounters {
  readonly #sources = new Map<string, Map<string, { offset: bigint; last: bigint }>>();
  readonly #maxSources: number;

  constructor(maxSources: number) {
    this.#maxSources = maxSources;
  }

  /**
   * The counters of one source, seen together: when any went backwards, all begin anew (a restart resets them all, and
   * those that have passed their old value again would otherwise be told too low for ever). Returns the totals.
   */
  observe(source: string, values: ReadonlyMap<string, bigint>): ReadonlyMap<string, bigint> {
    const known = this.#sources.get(source) ?? new Map<string, { offset: bigint; last: bigint }>();
    let restarted = false;
    for (const [name, { last }] of known) if ((values.get(name) ?? 0n) < last) restarted = true;
    if (restarted) {
      for (const entry of known.values()) {
        entry.offset += entry.last;
        entry.last = 0n;
      }
    }
    for (const [name, value] of values) {
      const entry = known.get(name);
      if (entry === undefined) known.set(name, { offset: 0n, last: value });
      else entry.last = value;
    }
    if (this.#sources.has(source) || this.#sources.size < this.#maxSources) this.#sources.set(source, known);
    return totals(known);
  }

  /** What was last told of a source that cannot be asked now. */
  remembered(source: string): ReadonlyMap<string, bigint> | undefined {
    const known = this.#sources.get(source);
    return known === undefined ? undefined : totals(known);
  }

  /** Sources that the predicate refuses are forgotten, e.g. of backends that left the table. */
  keep(predicate: (source: string) => boolean): void {
    for (const source of this.#sources.keys()) if (!predicate(source)) this.#sources.delete(source);
  }

  sources(): Iterable<string> {
    return this.#sources.keys();
  }
}

function totals(known: ReadonlyMap<string, { readonly offset: bigint; readonly last: bigint }>): ReadonlyMap<string, bigint> {
  return new Map([...known].map(([name, { offset, last }]) => [name, offset + last]));
}
