import { usageFailure } from '../failure.js';

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A rectangular nest of lists, taken apart: row-major leaves and the size of each level. */
export interface FlatTensor {
  readonly shape: readonly number[];
  readonly leaves: readonly JsonValue[];
}

/** Deeper nests than this are a mistake or an attack; no datatype needs them. */
const maxRank = 32;

/**
 * Flattens nested lists. A scalar has shape [], `[[1, 2, 3]]` has [1, 3], `[[], []]` has [2, 0].
 * Throws a usage failure naming the place where the nest is not rectangular, e.g.
 * `history[1]: expected a list of 3 like history[0], got a list of 2`.
 */
export function flatten(value: JsonValue, path: string): FlatTensor {
  const shape: number[] = [];
  for (let level: JsonValue | undefined = value; isList(level); level = level[0]) {
    if (shape.length === maxRank) throw usageFailure(`${path}: lists are nested deeper than ${maxRank} levels`);
    shape.push(level.length);
  }
  const leaves: JsonValue[] = [];
  collect(value, shape, 0, path, path, leaves);
  return { shape, leaves };
}

function collect(value: JsonValue, shape: readonly number[], depth: number, path: string, first: string, leaves: JsonValue[]): void {
  const expected = shape[depth];
  if (expected === undefined) {
    if (isList(value)) throw usageFailure(`${path}: expected a value like ${first}, got a list`, raggedFix);
    leaves.push(value);
    return;
  }
  if (!isList(value)) throw usageFailure(`${path}: expected a list of ${expected} like ${first}, got ${describe(value)}`, raggedFix);
  if (value.length !== expected) {
    throw usageFailure(`${path}: expected a list of ${expected} like ${first}, got a list of ${value.length}`, raggedFix);
  }
  value.forEach((item, index) => collect(item, shape, depth + 1, `${path}[${index}]`, `${first}[0]`, leaves));
}

const raggedFix = 'a tensor is rectangular: pad the shorter lists';

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** What a JSON value is, for a message: `a list of 3`, `"text"`, `1.5`, `null`, `an object`. */
export function describe(value: JsonValue): string {
  if (isList(value)) return `a list of ${value.length}`;
  if (value !== null && typeof value === 'object') return 'an object';
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 37)}..."` : text;
}

/** The place of a leaf in a tensor, e.g. index 4 of [2, 3] under "x" is "x[1][1]". */
export function pathOfLeaf(path: string, shape: readonly number[], index: number): string {
  let suffix = '';
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const size = shape[axis] ?? 1;
    suffix = `[${rest % size}]${suffix}`;
    rest = Math.floor(rest / size);
  }
  return `${path}${suffix}`;
}
