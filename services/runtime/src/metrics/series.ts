export type LabelValues<L extends string> = Readonly<Record<L, string>>;

/**
 * Bounds the label combinations of one metric: label values may come from clients (model names), and each new one
 * costs memory for ever. Past the limit all new combinations share one series whose labels read "other".
 */
export class SeriesLimit<L extends string> {
  readonly #labels: readonly L[];
  readonly #max: number;
  readonly #known = new Set<string>();
  readonly #other: Record<L, string>;

  constructor(labels: readonly L[], max: number) {
    this.#labels = labels;
    this.#max = max;
    this.#other = Object.fromEntries(labels.map((label) => [label, 'other'])) as Record<L, string>;
  }

  admit(values: LabelValues<L>): Record<L, string> {
    if (this.#labels.length === 0) return values;
    const key = this.#key(values);
    if (this.#known.has(key)) return values;
    if (this.#known.size >= this.#max) return this.#other;
    this.#known.add(key);
    return values;
  }

  remove(values: LabelValues<L>, forget: () => void): void {
    if (this.#known.delete(this.#key(values))) forget();
  }

  #key(values: LabelValues<L>): string {
    let key = '';
    for (const label of this.#labels) key += `${values[label]}\u0000`;
    return key;
  }
}
