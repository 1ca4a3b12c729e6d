import type { BackendModel, BackendView } from '../domain/backend-view.js';
import { instancesOf } from '../domain/backend-view.js';

/**
 * Names of instance slots: "backend/model#0". They are keys of everything that is kept by slot, and asked for with each decision, so each is
 * made once for as long as a view of the backend is in use: a text that is the same object is hashed once and compared by reference.
 */
const ofViews = new WeakMap<BackendView, Map<string, readonly string[]>>();

export function slotIdsOf(backend: BackendView, entry: BackendModel): readonly string[] {
  let models = ofViews.get(backend);
  if (models === undefined) ofViews.set(backend, (models = new Map<string, readonly string[]>()));
  const known = models.get(entry.name);
  if (known !== undefined) return known;
  const ids = Array.from({ length: instancesOf(backend, entry) }, (_, slot) => `${backend.name}/${entry.name}#${slot}`);
  models.set(entry.name, ids);
  return ids;
}

/** The backends of slots seen lately: a part cut out of a text is another text each time. */
const owners = new Map<string, string>();
const maxOwners = 4096;

export function backendOfTarget(id: string): string {
  const known = owners.get(id);
  if (known !== undefined) return known;
  if (owners.size >= maxOwners) owners.clear();
  const owner = id.slice(0, id.indexOf('/'));
  owners.set(id, owner);
  return owner;
}
