import type { DestinationStream } from 'pino';

const colours: Readonly<Record<string, string>> = { debug: '\u001b[90m', info: '\u001b[32m', warn: '\u001b[33m', error: '\u001b[31m' };
const reset = '\u001b[39m';
const hidden = new Set(['level', 'time', 'name', 'pid', 'message', 'error', 'err']);

/** Turns pino's JSON lines into `12:30:01.250 info  message key=value`, with an error's stack below. */
export function prettyStream(sink: DestinationStream, colour = process.stderr.isTTY): DestinationStream {
  return { write: (line: string) => sink.write(prettyLine(line, colour)) };
}

export function prettyLine(line: string, colour: boolean): string {
  const entry = parsed(line);
  if (entry === undefined) return line;
  const level = String(entry['level']);
  const paint = colour ? (colours[level] ?? '') : '';
  const fields = Object.entries(entry)
    .filter(([key]) => !hidden.has(key))
    .map(([key, value]) => ` ${key}=${typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value)}`);
  const label = `${paint}${level.padEnd(5)}${paint === '' ? '' : reset}`;
  return `${String(entry['time']).slice(11, 23)} ${label} ${asText(entry['message'])}${fields.join('')}${stackOf(entry)}\n`;
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function stackOf(entry: Record<string, unknown>): string {
  const error = entry['error'] ?? entry['err'];
  if (error === undefined || error === null) return '';
  const stack = typeof error === 'object' && 'stack' in error ? error.stack : error;
  return `\n  ${asText(stack).replaceAll('\n', '\n  ')}`;
}

function asText(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
