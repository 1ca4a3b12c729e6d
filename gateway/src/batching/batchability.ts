import type { BackendModel, BackendView } from '../domain/backend-view.js';
import type { ModelPolicy } from '../domain/gateway-table.js';

/**
 * Largest sum of rows of one run; 0 = never batched. The table's word, else the least that the ready backends declare
 * in ModelConfig.max_batch_size (a run may land on any of them). Never guessed from a dynamic dimension: softmax over
 * axis 0 looks exactly like a batchable model and is not.
 */
export function maxBatchRowsOf(model: string, backends: readonly BackendView[], policy: ModelPolicy): number {
  if (policy.batching.maxBatchRows !== undefined) return policy.batching.maxBatchRows;
  const declared = serving(model, backends, policy).map(({ maxBatchRows }) => maxBatchRows ?? 0);
  return declared.length === 0 ? 0 : Math.min(...declared);
}

/** The metadata that all ready backends agree on; undefined when they differ (a rollout) or none tells: then nothing is merged. */
export function commonSignature(model: string, backends: readonly BackendView[], policy: ModelPolicy): BackendModel['signature'] {
  const signatures = serving(model, backends, policy).map(({ signature }) => signature);
  const [first, ...others] = signatures;
  if (first === undefined) return undefined;
  const text = JSON.stringify(first);
  return others.every((other) => other === first || JSON.stringify(other) === text) ? first : undefined;
}

function serving(model: string, backends: readonly BackendView[], policy: ModelPolicy): BackendModel[] {
  const found: BackendModel[] = [];
  for (const backend of backends) {
    if (backend.state !== 'ready' || (policy.backends !== undefined && !policy.backends.has(backend.name))) continue;
    const entry = backend.models.get(model);
    if (entry !== undefined && entry.readyVersions.length > 0) found.push(entry);
  }
  return found;
}
