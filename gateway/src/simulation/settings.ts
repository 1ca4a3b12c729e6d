import { suggest } from '@headrace/runtime';
import type { Weighted } from './mix.js';

interface Bounds {
  readonly min?: number;
  readonly max?: number;
  /** The smallest allowed is just above `min`. */
  readonly aboveMin?: boolean;
}

const unitsMs: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * "key=value,key=value" of a command line, read key by key. What is wrong is noted with the place, what was expected and
 * what came, all of it at once: see `problems` after the last key was read.
 */
export class Settings {
  readonly #place: string;
  readonly #values = new Map<string, string>();
  readonly #known = new Set<string>();
  readonly #problems: string[] = [];

  constructor(place: string, text: string) {
    this.#place = place;
    for (const part of text.split(',')) {
      if (part.trim() === '') continue;
      const [key = '', ...rest] = part.split('=');
      if (rest.length === 0) this.#note(key.trim(), `expected ${key.trim()}=VALUE`);
      else if (this.#values.has(key.trim())) this.#note(key.trim(), 'is given twice');
      else this.#values.set(key.trim(), rest.join('=').trim());
    }
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  text(key: string): string | undefined {
    this.#known.add(key);
    const value = this.#values.get(key);
    if (value === '') this.#note(key, 'expected a value, got nothing');
    return value;
  }

  number(key: string, ifAbsent: number, bounds: Bounds = {}): number {
    const text = this.text(key);
    return text === undefined ? ifAbsent : this.#bounded(key, Number(text), text, 'a number', bounds, ifAbsent);
  }

  integer(key: string, ifAbsent: number, bounds: Bounds = {}): number {
    const value = this.number(key, ifAbsent, bounds);
    if (Number.isSafeInteger(value) || value === ifAbsent) return value;
    this.#note(key, `expected a whole number, got ${value}`);
    return ifAbsent;
  }

  ms(key: string, ifAbsent: number, bounds: Bounds = {}): number {
    const text = this.text(key);
    return text === undefined
      ? ifAbsent
      : this.#bounded(key, parseDurationMs(text), text, 'a time such as 0.2ms, 5s or 2m', bounds, ifAbsent);
  }

  /** "fast*3+slow*1": values with weights; a weight of 1 may be left out. */
  weighted<T>(key: string, ifAbsent: readonly Weighted<T>[], what: string, read: (text: string) => T | undefined): readonly Weighted<T>[] {
    const text = this.text(key);
    if (text === undefined) return ifAbsent;
    const found = text.split('+').map((part) => {
      const [name = '', weight = '1', ...rest] = part.split('*');
      const value = rest.length === 0 ? read(name.trim()) : undefined;
      return value !== undefined && Number(weight) > 0 && Number(weight) < Infinity ? { value, weight: Number(weight) } : undefined;
    });
    const good = found.filter((one) => one !== undefined);
    if (good.length === found.length && good.length <= 10_000) return good;
    this.#note(key, `expected ${what}, or several with weights such as A*3+B, got ${JSON.stringify(clip(text))}`);
    return ifAbsent;
  }

  /** "20s-40s", or "20s-" for all that follows. */
  stretch(key: string, text: string): { readonly fromMs: number; readonly untilMs: number } | undefined {
    const [from = '', until = '', ...rest] = text.split('-');
    const [fromMs, untilMs] = [parseDurationMs(from), until === '' ? Infinity : parseDurationMs(until)];
    if (rest.length === 0 && text.includes('-') && fromMs >= 0 && untilMs > fromMs) return { fromMs, untilMs };
    this.#note(key, `expected a stretch of time such as 20s-40s, or 20s- for all that follows, got ${JSON.stringify(clip(text))}`);
    return undefined;
  }

  problem(key: string, message: string): void {
    this.#note(key, message);
  }

  /** Keys that nobody asked for are problems too. */
  problems(): readonly string[] {
    const known = [...this.#known];
    for (const key of this.#values.keys()) {
      if (this.#known.has(key)) continue;
      const near = suggest(key, known);
      this.#note(key, `is not known here; ${near === undefined ? `expected one of ${known.sort().join(', ')}` : `did you mean ${near}?`}`);
    }
    return this.#problems;
  }

  #bounded(key: string, value: number, text: string, what: string, bounds: Bounds, ifWrong: number): number {
    const { min = 0, max = Infinity, aboveMin = false } = bounds;
    const fits = Number.isFinite(value) && text !== '' && (aboveMin ? value > min : value >= min) && value <= max;
    if (fits) return value;
    const range = max < Infinity ? ` from ${min} to ${max}` : aboveMin ? ` above ${min}` : ` of ${min} or more`;
    this.#note(key, `expected ${what}${range}, got ${JSON.stringify(clip(text))}`);
    return ifWrong;
  }

  #note(key: string, message: string): void {
    this.#problems.push(`${this.#place}: ${key}: ${message}`);
  }
}

/** NaN unless it is a number with a unit: us, ms, s, m or h. */
export function parseDurationMs(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?|\.\d+)(us|ms|s|m|h)$/.exec(text.trim()) ?? [];
  return amount === undefined || unit === undefined ? NaN : Number(amount) * (unitsMs[unit] ?? NaN);
}

export function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
