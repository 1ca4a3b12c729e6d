import { parseDocument, stringify } from 'yaml';
import { usageFailure } from '../failure.js';

/** A replica as the table names it. */
export interface ReplicaBackend {
  readonly name: string;
  /** "host:port" */
  readonly address: string;
  readonly instances: number;
}

/** A person's table, as far as `up` needs to understand it; the gateway's own rules check the rest. */
export interface TableTemplate {
  readonly document: Readonly<Record<string, unknown>>;
  readonly ownBackends: readonly unknown[];
}

export const emptyTemplate: TableTemplate = { document: { apiVersion: 'headrace.dev/v1alpha1', kind: 'RoutingTable' }, ownBackends: [] };

/** Reads --config. Throws a usage failure for what is no YAML mapping; `source` names the file in it. */
export function parseTemplate(text: string, source: string): TableTemplate {
  const parsed = parseDocument(text);
  const [error] = parsed.errors;
  if (error !== undefined) throw usageFailure(`${source}: ${error.message.split('\n')[0] ?? 'not YAML'}`);
  const document: unknown = parsed.toJS();
  if (document === null || typeof document !== 'object' || Array.isArray(document)) {
    throw usageFailure(`${source}: expected a RoutingTable, got ${document === null ? 'an empty file' : 'something else'}`);
  }
  const backends = (document as Record<string, unknown>)['backends'] ?? [];
  if (!Array.isArray(backends))
    throw usageFailure(`${source}: backends: expected a list`, 'leave it out to use the replicas that up starts');
  return { document: document as Record<string, unknown>, ownBackends: backends as unknown[] };
}

/** The table for the gateway: everything the person wrote, their backends first, then the replicas of this run. */
export function renderTable(template: TableTemplate, replicas: readonly ReplicaBackend[]): string {
  const backends = [
    ...template.ownBackends,
    ...replicas.map(({ name, address, instances }) => ({ name, address, podClass: 'cpu', instances })),
  ];
  return stringify({ ...template.document, backends });
}
