import { loadConfig } from '@headrace/runtime';
import type { ConfigProblem, Result } from '@headrace/runtime';
import type { GatewayTable } from '../domain/gateway-table.js';
import { routingTableSchema } from '../gen/routing-table.js';
import type { RoutingTable } from '../gen/routing-table.js';
import { resolveTable } from './resolve.js';
import { checkSemantics } from './semantics.js';

/** Parse -> validate -> check meaning -> fill in defaults. All problems at once; `source` names the file in each. */
export function parseTable(text: string, source: string): Result<GatewayTable, readonly ConfigProblem[]> {
  const loaded = loadConfig<RoutingTable>({ schema: routingTableSchema, text, source });
  if (!loaded.ok) return loaded;
  const problems = checkSemantics(loaded.value);
  if (problems.length > 0) return { ok: false, refusal: problems.map(({ path, message }) => ({ source, path, message })) };
  return { ok: true, value: resolveTable(loaded.value) };
}
