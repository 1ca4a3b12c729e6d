import { TraceProblem } from './line-reader.js';
import type { Line } from './line-reader.js';
import { clip } from './settings.js';

export const traceFields = ['timeMs', 'time', 'tenant', 'tier', 'priority', 'rows', 'deadlineMs', 'model', 'perSecond'] as const;
export type TraceField = (typeof traceFields)[number];

/** A row by field; what is absent or empty is not there. */
export type TraceRow = Partial<Record<TraceField, string>>;

/** Names without case, blanks, "_" and "-". Those of published traces are among them. */
const aliases: Readonly<Record<string, TraceField>> = {
  timems: 'timeMs',
  timestampms: 'timeMs',
  time: 'time',
  timestamp: 'time',
  // cluster-trace-v2026-GenAI of Alibaba: rates of containers.
  timestampanon: 'time',
  value: 'perSecond',
  persecond: 'perSecond',
  requesttype: 'tenant',
  tenant: 'tenant',
  tier: 'tier',
  priority: 'priority',
  rows: 'rows',
  deadlinems: 'deadlineMs',
  model: 'model',
};

const maxColumns = 256;

function fieldOf(name: string): TraceField | undefined {
  const key = name.toLowerCase().replace(/[\s_-]/g, '');
  return Object.hasOwn(aliases, key) ? aliases[key] : undefined;
}

/** Reads rows of one form: JSON where the first line is an object, else CSV with a header. */
export class RowReader {
  #columns: readonly (TraceField | undefined)[] | undefined;
  #json: boolean | undefined;
  /** Columns that mean nothing here, by their names in the file; e.g. "ContextTokens". At most 256. */
  readonly ignored = new Set<string>();

  /** Undefined: the header, or a blank line. Throws a TraceProblem. */
  row(line: Line): TraceRow | undefined {
    const text = line.number === 1 ? line.text.replace(/^\uFEFF/, '') : line.text;
    if (text.trim() === '') return undefined;
    this.#json ??= text.trimStart().startsWith('{');
    if (this.#json) return this.#jsonRow(line.number, text);
    if (this.#columns !== undefined) return this.#csvRow(line.number, text, this.#columns);
    this.#columns = this.#header(line.number, text);
    return undefined;
  }

  #header(number: number, text: string): readonly (TraceField | undefined)[] {
    const names = cells(number, text);
    if (names.length > maxColumns) throw new TraceProblem(number, `expected at most ${maxColumns} columns, got ${names.length}`);
    const fields = names.map((name) => this.#field(name));
    if (!fields.includes('time') && !fields.includes('timeMs'))
      throw new TraceProblem(
        number,
        `expected a header with a column timeMs (milliseconds) or timestamp (seconds, or a date and time), got ${JSON.stringify(clip(text))}`,
      );
    const twice = fields.find((field, index) => field !== undefined && fields.indexOf(field) !== index);
    if (twice !== undefined) throw new TraceProblem(number, `two columns mean ${twice}`);
    return fields;
  }

  #csvRow(number: number, text: string, columns: readonly (TraceField | undefined)[]): TraceRow {
    const values = cells(number, text);
    if (values.length !== columns.length)
      throw new TraceProblem(number, `expected ${columns.length} columns as in the header, got ${values.length}`);
    const row: TraceRow = {};
    columns.forEach((field, index) => {
      const value = values[index]?.trim() ?? '';
      if (field !== undefined && value !== '') row[field] = value;
    });
    return row;
  }

  #jsonRow(number: number, text: string): TraceRow {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new TraceProblem(number, `expected one JSON object on the line, got ${JSON.stringify(clip(text))}`);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new TraceProblem(number, `expected one JSON object on the line, got ${JSON.stringify(clip(text))}`);
    const row: TraceRow = {};
    for (const [name, cell] of Object.entries(value as Record<string, unknown>)) {
      const field = this.#field(name);
      if (field === undefined || cell === null || cell === '') continue;
      if (typeof cell !== 'string' && typeof cell !== 'number')
        throw new TraceProblem(number, `${clip(name)}: expected a number or a string, got ${clip(JSON.stringify(cell))}`);
      row[field] = String(cell);
    }
    return row;
  }

  #field(name: string): TraceField | undefined {
    const field = fieldOf(name);
    if (field === undefined && this.ignored.size < maxColumns) this.ignored.add(clip(name.trim()));
    return field;
  }
}

/** RFC 4180 within one line: cells in double quotes may hold commas, and quotes written twice. */
function cells(number: number, text: string): readonly string[] {
  if (!text.includes('"')) return text.split(',');
  const found: string[] = [];
  let at = 0;
  while (at <= text.length) {
    if (text[at] === '"') {
      let value = '';
      let end = text.indexOf('"', at + 1);
      let from = at + 1;
      for (; end >= 0 && text[end + 1] === '"'; end = text.indexOf('"', from)) {
        value += text.slice(from, end + 1);
        from = end + 2;
      }
      if (end < 0) throw new TraceProblem(number, 'a cell in quotes does not end on its line');
      found.push(value + text.slice(from, end));
      at = end + 1;
      if (at < text.length && text[at] !== ',') throw new TraceProblem(number, 'expected a comma after a cell in quotes');
    } else {
      const comma = text.indexOf(',', at);
      const end = comma < 0 ? text.length : comma;
      found.push(text.slice(at, end));
      at = end;
    }
    at += 1;
  }
  return found;
}
