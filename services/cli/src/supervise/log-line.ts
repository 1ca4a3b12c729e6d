import type { Colors } from 'picocolors/types.js';
import { parseObject } from './announcement.js';

export const childLogLevels = ['debug', 'info', 'warn', 'error'] as const;
export type ChildLogLevel = (typeof childLogLevels)[number];

export interface ChildLogLine {
  readonly level: ChildLogLevel;
  readonly text: string;
}

const hidden = new Set(['level', 'time', 'name', 'pid', 'hostname', 'message', 'msg', 'stack']);

/** A line of a server's log (JSON, level as a name) for a person; a line that is none (a crash of the runtime, say) counts as an error. */
export function parseLogLine(line: string): ChildLogLine {
  const entry = parseObject(line);
  if (entry === undefined) return { level: 'error', text: line };
  const named = childLogLevels.find((level) => level === entry['level']);
  const fields = Object.entries(entry)
    .filter(([key]) => !hidden.has(key))
    .map(([key, value]) => ` ${key}=${showValue(value)}`);
  return { level: named ?? 'info', text: `${textOf(entry['message'] ?? entry['msg'])}${fields.join('')}` };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** An error inside a log line is told by its message; the stack is for the log file. */
function showValue(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  if (value !== null && typeof value === 'object' && 'message' in value) return JSON.stringify(value.message);
  return JSON.stringify(value) ?? '';
}

export function wantedAt(level: ChildLogLevel, threshold: ChildLogLevel): boolean {
  return childLogLevels.indexOf(level) >= childLogLevels.indexOf(threshold);
}

export function renderLogLine(process: string, line: ChildLogLine, colors: Colors): string {
  const paint = line.level === 'error' ? colors.red : line.level === 'warn' ? colors.yellow : colors.dim;
  return `${colors.dim(`${process} |`)} ${paint(line.level)} ${line.text}\n`;
}
