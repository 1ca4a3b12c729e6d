import type { CostBook, CostEstimate } from '../types.js';
import { LineFit } from './line-fit.js';

export interface CostBookOptions {
  /** Shape classes kept; the one not run for longest is forgotten. Default 4096. */
  readonly maxShapeClasses?: number;
  /** Pod classes kept per shape class. Default 32. */
  readonly maxPodClasses?: number;
  /** Runs after which a run counts 1/e. Default 100. */
  readonly windowRuns?: number;
}

const unknown: CostEstimate = { predictMs: () => 0, identified: false, overheadMs: 0, perRowMs: 0, residualMs: 0 };

/** One fit with the immutable estimate that readers hold; made anew only when a run changed it. */
class Entry {
  readonly fit: LineFit;
  #estimate: CostEstimate | undefined;

  constructor(windowRuns: number) {
    this.fit = new LineFit({ windowRuns, minSpread: 0.15, shapeMemoryRuns: 20 * windowRuns });
  }

  observe(rows: number, runMs: number): void {
    this.fit.observe(rows, runMs);
    this.#estimate = undefined;
  }

  estimate(): CostEstimate {
    this.#estimate ??= freeze(this.fit);
    return this.#estimate;
  }
}

function freeze(fit: LineFit): CostEstimate {
  const { overheadMs, perRowMs } = fit.line;
  return {
    predictMs: (rows) => (rows > 0 ? overheadMs + perRowMs * rows : 0),
    identified: fit.identified,
    overheadMs,
    perRowMs,
    residualMs: fit.residualMs,
  };
}

class LruCostBook implements CostBook {
  readonly #maxShapeClasses: number;
  readonly #maxPodClasses: number;
  readonly #windowRuns: number;
  /** Insertion order is age of the last run, oldest first. */
  readonly #shapes = new Map<string, Map<string, Entry>>();
  /** The entry that was renewed last: mostly the next one too, and then it need not move. */
  #newest: { readonly shapeClass: string; readonly podClass: string; readonly entry: Entry } | undefined;

  constructor(options: CostBookOptions) {
    this.#maxShapeClasses = options.maxShapeClasses ?? 4096;
    this.#maxPodClasses = options.maxPodClasses ?? 32;
    this.#windowRuns = options.windowRuns ?? 100;
  }

  estimate(shapeClass: string, podClass: string): CostEstimate {
    return this.#shapes.get(shapeClass)?.get(podClass)?.estimate() ?? unknown;
  }

  observe(shapeClass: string, podClass: string, rows: number, runMs: number): void {
    if (!(rows > 0) || !(runMs >= 0) || !Number.isFinite(rows) || !Number.isFinite(runMs)) return;
    const newest = this.#newest;
    if (newest?.shapeClass === shapeClass && newest.podClass === podClass) return newest.entry.observe(rows, runMs);
    const pods = this.#shapes.get(shapeClass) ?? new Map<string, Entry>();
    const entry = pods.get(podClass) ?? new Entry(this.#windowRuns);
    entry.observe(rows, runMs);
    renew(pods, podClass, entry, this.#maxPodClasses);
    renew(this.#shapes, shapeClass, pods, this.#maxShapeClasses);
    this.#newest = { shapeClass, podClass, entry };
  }

  reset(shapeClass: string): void {
    this.#shapes.delete(shapeClass);
    this.#newest = undefined;
  }
}

function renew<V>(map: Map<string, V>, key: string, value: V, maxEntries: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= maxEntries) return;
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}

/** A cost book with bounded memory: at most maxShapeClasses x maxPodClasses fits of about 1 KiB. */
export function createCostBook(options: CostBookOptions = {}): CostBook {
  return new LruCostBook(options);
}
