import type { GatewayTable, ModelPolicy } from '../domain/gateway-table.js';

/**
 * A worker's part of the limits that must hold without asking anybody: memory and queues, where what comes between two
 * messages has no bound, and the floor of the retry budget (its other part is a share of the worker's own requests, which
 * adds up by itself). Bypass is no such limit: each worker keeps the whole share and hears what the others took of it.
 *
 * E.g. 4 workers, 256 MiB, 4,096 rows, 10 retries a second: 64 MiB, 1,024 rows and 2.5 for each; but never less bytes than
 * the largest message needs.
 */
export function shareOfTable(table: GatewayTable, workers: number): GatewayTable {
  if (workers <= 1) return table;
  const { maxQueuedBytes, maxMessageBytes, routing } = table;
  const oneMessage = Math.min(maxQueuedBytes, maxMessageBytes + aroundMessageBytes);
  return {
    ...table,
    models: new Map([...table.models].map(([name, policy]) => [name, shareOfPolicy(policy, workers)])),
    defaults: shareOfPolicy(table.defaults, workers),
    maxQueuedBytes: Math.max(Math.ceil(maxQueuedBytes / workers), oneMessage),
    routing: { ...routing, retryBudget: { ...routing.retryBudget, minPerSecond: routing.retryBudget.minPerSecond / workers } },
  };
}

/** More than the fixed overhead that a held message is counted with. */
const aroundMessageBytes = 64 * 1024;

function shareOfPolicy(policy: ModelPolicy, workers: number): ModelPolicy {
  return { ...policy, batching: { ...policy.batching, maxQueuedRows: Math.ceil(policy.batching.maxQueuedRows / workers) } };
}
