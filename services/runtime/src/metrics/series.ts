export type LabelValues<L extends string> = Readonly<Record<L, string>>;

/**
 * What is kept for each label combination of one metric. Bounded: label values may come from clients (model names), and each
 * new one costs memory for ever. Past the limit all new combinations share one series whose labels read "other".
 */
export class SeriesTable<L extends string, S> {
  readonly #labels: readonly L[];
  readonly #max: number;
  readonly #make: (values: LabelValues<L>) => S;
  readonly #series = new Map<string, S>();
  #other: S | undefined;
  /** What was asked for last: mostly the same again, and no key need be put together for it. */
  #last: { readonly values: LabelValues<L>; readonly series: S } | undefined;

  constructor(labels: readonly L[], max: number, make: (values: LabelValues<L>) => S) {
    this.#labels = labels;
    this.#max = max;
    this.#make = make;
  }

  of(values: LabelValues<L>): S {
    const last = this.#last;
    if (last !== undefined && this.#same(last.values, values)) return last.series;
    const key = this.#key(values);
    const known = this.#series.get(key);
    if (known !== undefined) return this.#remember(values, known);
    if (this.#series.size >= this.#max) {
      this.#other ??= this.#make(Object.fromEntries(this.#labels.map((label) => [label, 'other'])) as Record<L, string>);
      return this.#other;
    }
    // A copy: the caller may use one object for many.
    const made = this.#make({ ...values });
    this.#series.set(key, made);
    return this.#remember(values, made);
  }

  /** False when there is none of these labels, "other" included. */
  remove(values: LabelValues<L>): boolean {
    this.#last = undefined;
    return this.#series.delete(this.#key(values));
  }

  all(): readonly S[] {
    return [...this.#series.values(), ...(this.#other === undefined ? [] : [this.#other])];
  }

  #same(last: LabelValues<L>, values: LabelValues<L>): boolean {
    for (const label of this.#labels) if (last[label] !== values[label]) return false;
    return true;
  }

  #remember(values: LabelValues<L>, series: S): S {
    this.#last = { values: { ...values }, series };
    return series;
  }

  #key(values: LabelValues<L>): string {
    const [first] = this.#labels;
    if (first === undefined) return '';
    if (this.#labels.length === 1) return values[first];
    let key = '';
    for (const label of this.#labels) key += `${values[label]}\u0000`;
    return key;
  }
}
