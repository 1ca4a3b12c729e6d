import { modelState } from '../domain/model-state.js';

/** One line of a repository index. */
export interface IndexEntry {
  readonly name: string;
  readonly version: string;
  readonly state: string;
  readonly reason: string;
}

/**
 * The index over all backends: a version is READY when any backend serves it (requests find their way there). The
 * reason tells what the others say, e.g. "replica-1: UNAVAILABLE: out of memory".
 */
export function mergeIndex(perBackend: ReadonlyMap<string, readonly IndexEntry[]>, onlyReady: boolean): IndexEntry[] {
  const merged = new Map<string, { entry: IndexEntry; reasons: string[] }>();
  for (const [backend, entries] of perBackend) {
    for (const sent of entries) {
      const entry = { ...sent, state: modelState(sent.state) };
      const key = `${entry.name}\u0000${entry.version}`;
      const known = merged.get(key) ?? { entry, reasons: [] };
      if (entry.state === 'READY') known.entry = entry;
      else
        known.reasons.push(
          `${backend}: ${entry.reason === '' || entry.reason.startsWith(entry.state) ? entry.reason || entry.state : `${entry.state}: ${entry.reason}`}`,
        );
      merged.set(key, known);
    }
  }
  return [...merged.values()]
    .filter(({ entry }) => !onlyReady || entry.state === 'READY')
    .map(({ entry, reasons }) => ({ ...entry, reason: reasons.join('; ') }))
    .sort((a, b) => (a.name === b.name ? compare(a.version, b.version) : compare(a.name, b.name)));
}

/** Versions are numbers as a rule: 9 before 10. */
function compare(a: string, b: string): number {
  const numeric = Number(a) - Number(b);
  if (a !== '' && b !== '' && Number.isFinite(numeric) && numeric !== 0) return numeric;
  return a < b ? -1 : a > b ? 1 : 0;
}
