import { maxRowsOfRequest } from './arrival.js';
import type { Arrival } from './arrival.js';
import { LineReader, TraceProblem } from './line-reader.js';
import type { Line } from './line-reader.js';
import { drawer } from './mix.js';
import { exponentialMs } from './random.js';
import type { Random } from './random.js';
import { clip } from './settings.js';
import { RowReader } from './trace-columns.js';
import type { TraceField, TraceRow } from './trace-columns.js';

/** A pause longer than this is more likely a wrong unit of time. */
const maxGapMs = 86_400_000;
/** A rate holds until the next sample, or for this long where samples are missing. */
const maxRateMs = 60_000;
const maxRate = 1e6;
const maxRatesAtOnce = 10_000;

interface Rate {
  readonly tenant: string;
  readonly perSecond: number;
}

/**
 * A trace file read in pieces, in memory of one line: CSV with a header, or one JSON object on each line. A row is an
 * arrival; or, in files with a column `value` or `perSecond`, a rate at a time, of which rows of one time are summed and
 * drawn as a Poisson process until the next.
 */
export class TraceFile {
  readonly #lines = new LineReader();
  readonly #rows = new RowReader();
  readonly #random: Random;
  #firstMs: number | undefined;
  #lastMs = 0;
  #lastLine = 0;
  #rates: Rate[] = [];
  /** What rows are; all of a file are of one kind. */
  #kind: 'arrivals' | 'rates' | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Columns that mean nothing here. */
  get ignored(): readonly string[] {
    return [...this.#rows.ignored];
  }

  /** Throws a TraceProblem, after the arrivals before it. */
  *push(piece: string): Generator<Arrival> {
    for (const line of this.#lines.push(piece)) yield* this.#read(line);
  }

  *end(): Generator<Arrival> {
    for (const line of this.#lines.end()) yield* this.#read(line);
    yield* this.#drawn(this.#lastMs, Infinity);
    if (this.#firstMs === undefined) throw new TraceProblem(Math.max(1, this.#lastLine), 'the trace ends without a row');
  }

  *#read(line: Line): Generator<Arrival> {
    this.#lastLine = line.number;
    const row = this.#rows.row(line);
    if (row === undefined) return;
    const atMs = this.#timeOf(row, line.number);
    const kind = row.perSecond === undefined ? 'arrivals' : 'rates';
    this.#kind ??= kind;
    if (kind !== this.#kind) {
      const expected = this.#kind === 'rates' ? 'a rate in the column value' : 'no rate';
      throw new TraceProblem(line.number, `expected ${expected}, as in the lines before`);
    }
    if (kind === 'arrivals') {
      yield arrivalOf(row, atMs, line.number);
      return;
    }
    const previousMs = this.#lastMs;
    if (atMs > previousMs) yield* this.#drawn(previousMs, atMs);
    this.#lastMs = atMs;
    if (this.#rates.length >= maxRatesAtOnce) throw new TraceProblem(line.number, `expected at most ${maxRatesAtOnce} rates of one time`);
    this.#rates.push({
      tenant: nameOf(row, 'tenant', line.number) ?? '',
      perSecond: numberOf(row, 'perSecond', line.number, 0, maxRate) ?? 0,
    });
  }

  /** From the start of the trace. */
  #timeOf(row: TraceRow, line: number): number {
    const ms = row.timeMs === undefined ? readTimeMs(row.time, line) : numberOf(row, 'timeMs', line, -1e15, 1e15);
    if (ms === undefined) throw new TraceProblem(line, 'expected a time in timeMs or timestamp, got none');
    this.#firstMs ??= ms;
    const atMs = ms - this.#firstMs;
    const gapMs = atMs - this.#lastMs;
    if (gapMs < 0) throw new TraceProblem(line, `the time goes back by ${-gapMs} ms: expected lines in the order of time; sort the file`);
    if (gapMs > maxGapMs)
      throw new TraceProblem(
        line,
        `${Math.round(gapMs / 3_600_000)} hours after the line before: is the unit right? timeMs is in ms, timestamp in seconds`,
      );
    if (row.perSecond === undefined) this.#lastMs = atMs;
    return atMs;
  }

  *#drawn(fromMs: number, nextMs: number): Generator<Arrival> {
    const rates = this.#rates;
    this.#rates = [];
    const perSecond = rates.reduce((sum, rate) => sum + rate.perSecond, 0);
    if (perSecond <= 0) return;
    const tenant = drawer(
      rates.map((rate) => ({ value: rate.tenant, weight: rate.perSecond })),
      this.#random,
    );
    const untilMs = Math.min(nextMs, fromMs + maxRateMs);
    for (let atMs = fromMs + exponentialMs(this.#random, perSecond); atMs < untilMs; atMs += exponentialMs(this.#random, perSecond)) {
      yield { ...plain, atMs, tenant: tenant() };
    }
  }
}

const plain = { tier: undefined, priority: undefined, rows: 1, deadlineMs: Infinity, model: undefined };

function arrivalOf(row: TraceRow, atMs: number, line: number): Arrival {
  const priority = wholeOf(row, 'priority', line, 0, 1000);
  const deadlineMs = numberOf(row, 'deadlineMs', line, 0, 1e12);
  if (deadlineMs === 0) throw new TraceProblem(line, 'deadlineMs: expected more than 0; leave it empty for none');
  return {
    atMs,
    tenant: nameOf(row, 'tenant', line) ?? '',
    tier: nameOf(row, 'tier', line),
    // Triton's 0: the model's default.
    priority: priority === 0 ? undefined : priority,
    rows: wholeOf(row, 'rows', line, 1, maxRowsOfRequest) ?? 1,
    deadlineMs: deadlineMs ?? Infinity,
    model: nameOf(row, 'model', line),
  };
}

function nameOf(row: TraceRow, field: TraceField, line: number): string | undefined {
  const text = row[field];
  if (text !== undefined && text.length > 256)
    throw new TraceProblem(line, `${field}: expected at most 256 characters, got ${text.length}`);
  return text;
}

function numberOf(row: TraceRow, field: TraceField, line: number, min: number, max: number): number | undefined {
  const text = row[field];
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value >= min && value <= max) return value;
  throw new TraceProblem(line, `${field}: expected a number from ${min} to ${max}, got ${JSON.stringify(clip(text))}`);
}

function wholeOf(row: TraceRow, field: TraceField, line: number, min: number, max: number): number | undefined {
  const value = numberOf(row, field, line, min, max);
  if (value === undefined || Number.isInteger(value)) return value;
  throw new TraceProblem(line, `${field}: expected a whole number, got ${value}`);
}

/** Seconds, or a date and time (UTC unless it says otherwise) with any number of digits after the second. */
function readTimeMs(text: string | undefined, line: number): number | undefined {
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) {
    if (Math.abs(seconds) <= 1e11) return seconds * 1000;
    throw new TraceProblem(line, `timestamp: expected seconds, got ${clip(text)}: if these are milliseconds, name the column timeMs`);
  }
  const [, day, time, fraction = '', zone = 'Z'] = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)? ?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? [];
  const wholeMs = day === undefined || time === undefined ? NaN : Date.parse(`${day}T${time}${zone}`);
  if (!Number.isNaN(wholeMs)) return wholeMs + Number(`0${fraction}`) * 1000;
  throw new TraceProblem(line, `timestamp: expected seconds or a date such as 2023-11-16 18:15:46.68, got ${JSON.stringify(clip(text))}`);
}
