import { readFile } from 'node:fs/promises';
import { formatProblem } from '@headrace/runtime';
import type { Clock } from '@headrace/runtime';
import type { GatewayTable } from '../domain/gateway-table.js';
import { unreadable, watchFile } from '../sources/watch-file.js';
import type { FileWatch } from '../sources/watch-file.js';
import { parseTable } from './parse.js';

export interface TableListener {
  onTable(table: GatewayTable): void;
  /** The file is unusable; the table in use stays. One line per problem. */
  onProblems(problems: readonly string[]): void;
}

export type TableWatch = FileWatch;

/** Reads the table once; the problems are lines for people. */
export async function readTable(
  file: string,
): Promise<{ ok: true; table: GatewayTable; text: string } | { ok: false; problems: readonly string[] }> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return { ok: false, problems: [unreadable(file, error)] };
  }
  const parsed = parseTable(text, file);
  return parsed.ok ? { ok: true, table: parsed.value, text } : { ok: false, problems: parsed.refusal.map(formatProblem) };
}

/** Tells each table that follows `text`, the one in use. */
export async function watchTable(file: string, text: string, clock: Clock, listener: TableListener): Promise<TableWatch> {
  return watchFile(
    file,
    clock,
    {
      onText: (changed) => {
        const parsed = parseTable(changed, file);
        if (parsed.ok) listener.onTable(parsed.value);
        else listener.onProblems(parsed.refusal.map(formatProblem));
      },
      onProblem: (problem) => listener.onProblems([problem]),
    },
    text,
  );
}
