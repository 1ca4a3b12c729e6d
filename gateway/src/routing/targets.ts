import type { BackendModel, BackendView } from '../domain/backend-view.js';
import { servesVersion } from '../domain/backend-view.js';
import type { ModelPolicy } from '../domain/gateway-table.js';
import type { Target } from '../domain/target.js';
import type { BreakerState } from './breaker.js';
import type { Ledger } from './ledger.js';
import { slotIdsOf } from './slot-ids.js';
import { slowStartPenalty } from './slow-start.js';

/**
 * Filter and score: from what is known of the backends now to the instance slots that a model's requests may go to.
 * The batcher picks: least freeInMs + penalty x t(b) of the slot's class.
 */
export interface RoutingView {
  readonly backends: readonly BackendView[];
  standing(backend: string): 'steady' | 'ejected' | 'probing';
  breaker(backend: string): BreakerState;
  readonly ledger: Ledger;
  overheadMs(backend: string): number;
  readonly slowStartMs: number;
}

/** Why a backend does not serve a model now; undefined when it does. */
export type Exclusion = 'notInTable' | 'notReady' | 'noModel' | 'modelNotReady' | 'noVersion' | 'ejected' | 'circuitOpen';

export function exclusionOf(
  view: RoutingView,
  backend: BackendView,
  model: string,
  version: string,
  policy: ModelPolicy,
): Exclusion | undefined {
  if (policy.backends !== undefined && !policy.backends.has(backend.name)) return 'notInTable';
  if (backend.state !== 'ready') return 'notReady';
  const entry = backend.models.get(model);
  if (entry === undefined) return 'noModel';
  if (entry.readyVersions.length === 0) return 'modelNotReady';
  if (!servesVersion(entry, version)) return 'noVersion';
  if (view.breaker(backend.name) === 'open') return 'circuitOpen';
  return view.standing(backend.name) === 'ejected' ? 'ejected' : undefined;
}

/** Slots of all backends that may run the model, in table order. */
export function targetsFor(view: RoutingView, model: string, version: string, policy: ModelPolicy, nowMs: number): Target[] {
  const targets: Target[] = [];
  for (const backend of view.backends) {
    if (exclusionOf(view, backend, model, version, policy) !== undefined) continue;
    const entry = backend.models.get(model);
    if (entry !== undefined) addSlots(targets, view, backend, entry, nowMs);
  }
  return targets;
}

/** Several models share a backend's processors: each busy slot of another model makes a run take that much longer. */
function addSlots(into: Target[], view: RoutingView, backend: BackendView, entry: BackendModel, nowMs: number): void {
  const { ledger } = view;
  const onTrial = view.breaker(backend.name) === 'halfOpen' || view.standing(backend.name) === 'probing';
  const ids = slotIdsOf(backend, entry);
  const crowding = 1 + ledger.busySlotsOfOthers(backend.name, entry.name) / ids.length;
  // On trial: one run at a time per instance, and slightly preferred when all are idle, so that a quiet system finds out too.
  const penalty = onTrial ? trialPreference : slowStartPenalty(nowMs - backend.readySinceMs, view.slowStartMs) * crowding;
  const overheadMs = view.overheadMs(backend.name);
  for (const id of ids) {
    into.push({
      id,
      podClass: backend.podClass,
      outstanding: ledger.outstanding(id),
      capacity: onTrial ? 1 : 2,
      freeInMs: ledger.freeInMs(id, nowMs),
      penalty,
      networkMs: overheadMs,
      batchOverheadMs: overheadMs,
    });
  }
}

const trialPreference = 0.9;
