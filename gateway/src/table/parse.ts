import type { ConfigProblem, Result } from '@headrace/runtime';
import type { GatewayTable } from '../domain/gateway-table.js';
import { routingTableSchema } from '../gen/routing-table.js';
import type { RoutingTable } from '../gen/routing-table.js';
import { loadDocument } from './load.js';
import { resolveTable } from './resolve.js';
import { checkSemantics } from './semantics.js';

/** Parse -> validate -> check meaning -> fill in defaults. All problems at once; `source` names the file in each. */
export function parseTable(text: string, source: string): Result<GatewayTable, readonly ConfigProblem[]> {
  const loaded = loadDocument<RoutingTable>(routingTableSchema, text, source, checkSemantics);
  return loaded.ok ? { ok: true, value: resolveTable(loaded.value) } : loaded;
}
