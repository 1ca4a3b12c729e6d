import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseTable, parseTrafficPolicy } from '@headrace/gateway';
import type { GatewayTable, SimulatedBackend } from '@headrace/gateway/simulation';
import { ordinaryBackend, parseBackends } from '@headrace/gateway/simulation';
import { formatProblem } from '@headrace/runtime';
import { usageFailure } from '../failure.js';
import type { Io } from '../io.js';
import { emptyTemplate, parseTemplate, renderTable } from '../supervise/routing-table.js';
import type { TableTemplate } from '../supervise/routing-table.js';

/** A policy to try, with the backends to try it on. */
export interface Policy {
  /** As the person named it. */
  readonly file: string;
  readonly table: GatewayTable;
  readonly backends: readonly SimulatedBackend[];
}

/**
 * Reads POLICY: a RoutingTable, or a TrafficPolicy that takes the place of the one in the table that --table names. With
 * --backend those are the fleet; without, the table's own backends at an ordinary speed. Throws usage failures.
 */
export async function readPolicy(file: string, tableFile: string | undefined, backendTexts: readonly string[], io: Io): Promise<Policy> {
  const { text, template } = await readTable(file, tableFile, io);
  const given = checked(parseBackends(backendTexts));
  const own = new Set(
    template.ownBackends.map((each) => (typeof each === 'object' && each !== null ? (each as { name?: unknown }).name : undefined)),
  );
  if (own.size === 0 && given.length === 0)
    throw usageFailure(`${file}: backends: expected at least one`, 'say what to simulate, e.g. --backend a=1ms,k=0.2ms,instances=2');
  // As it was written where that is a whole table: problems then name its lines.
  const whole =
    own.size > 0 && text !== undefined
      ? text
      : renderTable(
          template,
          given.map(({ name }) => ({ name, address: 'localhost:1', instances: 1 })),
        );
  const parsed = parseTable(whole, file);
  if (!parsed.ok) throw usageFailure(parsed.refusal.map(formatProblem).join('\n'));
  const table = parsed.value;
  const backends = given.length === 0 ? table.backends.map(ordinaryBackend) : checked(parseBackends(backendTexts, table.backends));
  checkModels(file, table, backends);
  return { file, table, backends };
}

/** `text` where it is the whole table as a person wrote it. */
async function readTable(
  file: string,
  tableFile: string | undefined,
  io: Io,
): Promise<{ readonly text: string | undefined; readonly template: TableTemplate }> {
  const text = await readText(file, io);
  const template = parseTemplate(text, file);
  if (template.document['kind'] !== 'TrafficPolicy') return { text, template };
  const parsed = parseTrafficPolicy(text, file);
  if (!parsed.ok) throw usageFailure(parsed.refusal.map(formatProblem).join('\n'));
  const base = tableFile === undefined ? emptyTemplate : parseTemplate(await readText(tableFile, io), tableFile);
  // Into the table, as the gateway reads it: what a policy says of the models' settings then holds here as it does there.
  return { text: undefined, template: { ...base, document: { ...base.document, trafficPolicy: template.document['spec'] } } };
}

/** A model that the table sends to backends which the simulation lacks would be refused throughout, and nobody would see why. */
function checkModels(file: string, table: GatewayTable, backends: readonly SimulatedBackend[]): void {
  const present = new Set(backends.map(({ name }) => name));
  for (const [name, { backends: wanted }] of table.models) {
    if (wanted === undefined || [...wanted].some((each) => present.has(each))) continue;
    const first = [...wanted][0] ?? '';
    throw usageFailure(
      `${file}: models: ${name} runs on ${[...wanted].slice(0, 5).join(', ')} alone, and no --backend has that name`,
      `name one of them, e.g. --backend name=${first},a=1ms,k=0.2ms`,
    );
  }
}

async function readText(file: string, io: Io): Promise<string> {
  try {
    return await readFile(resolve(io.cwd, file), 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw usageFailure(
      code === 'ENOENT' ? `${file}: no such file` : `${file}: cannot be read (${code})`,
      'name a RoutingTable or a TrafficPolicy (YAML)',
    );
  }
}

export function checked<T>(
  read: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: readonly string[] },
): T {
  if (!read.ok) throw usageFailure(read.refusal.join('\n'));
  return read.value;
}
