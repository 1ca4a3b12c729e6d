import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv } from 'ajv';
import type { Result } from '../refusal.js';
import { explain } from './explain.js';
import { freezeDeep } from './freeze.js';
import type { ConfigProblem } from './problem.js';
import { formatPath } from './problem.js';
import type { ConfigSchema } from './schema.js';
import { annotationKeywords, toJsonSchema } from './schema.js';
import type { YamlDocument } from './yaml.js';
import { parseYamlDocument } from './yaml.js';

export interface ValidateOptions {
  readonly schema: ConfigSchema;
  readonly value: unknown;
  /** Named in each problem. */
  readonly source: string;
  /** Gives problems their line and column. */
  readonly locate?: YamlDocument['locate'];
}

/** A document with more mistakes than this is not read to its end by anyone. */
const maxProblems = 100;

/**
 * Checks a document against its schema: all problems at once, unknown keys refused with a suggestion, defaults filled
 * in. The result is a deep-frozen copy; `value` is left alone. T is what the schema describes, by the caller's word.
 */
export function validateDocument<T>(options: ValidateOptions): Result<T, readonly ConfigProblem[]> {
  const validate = compiled(options.schema);
  const copy = structuredClone(options.value);
  if (validate(copy)) return { ok: true, value: freezeDeep(copy) as T };
  const problems = relevant(validate.errors ?? []).map((error) => toProblem(error, copy, options));
  return { ok: false, refusal: distinct(problems).slice(0, maxProblems) };
}

/** parse -> defaults -> validate -> freeze, with line and column in every problem. */
export function loadConfig<T>(options: {
  readonly schema: ConfigSchema;
  readonly text: string;
  readonly source: string;
}): Result<T, readonly ConfigProblem[]> {
  const parsed = parseYamlDocument(options.text, options.source);
  if (!parsed.ok) return parsed;
  const document = parsed.value;
  return validateDocument<T>({
    schema: options.schema,
    value: document.value,
    source: options.source,
    locate: (segments) => document.locate(segments),
  });
}

/** Compiling takes milliseconds and a table is re-read at each change; schemas are few and live as long as the process. */
const cache = new WeakMap<ConfigSchema, ValidateFunction>();

function compiled(schema: ConfigSchema): ValidateFunction {
  const known = cache.get(schema);
  if (known !== undefined) return known;
  const ajv = new Ajv({
    allErrors: true,
    useDefaults: true,
    verbose: true,
    allowUnionTypes: true,
    strictRequired: false,
    strictTypes: false,
  });
  for (const keyword of annotationKeywords) ajv.addKeyword(keyword);
  ajv.addFormat('int32', { type: 'number', validate: (n: number) => Number.isInteger(n) && Math.abs(n) <= 2 ** 31 });
  ajv.addFormat('int64', { type: 'number', validate: Number.isSafeInteger });
  ajv.addFormat('float', { type: 'number', validate: Number.isFinite });
  ajv.addFormat('double', { type: 'number', validate: Number.isFinite });
  const validate = ajv.compile(toJsonSchema(schema));
  cache.set(schema, validate);
  return validate;
}

/** `if`, `anyOf` and `oneOf` repeat what their branches said already; they are kept only where they speak alone. */
function relevant(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const telling = errors.filter(({ keyword }) => keyword !== 'if');
  return telling.length > 0 ? telling : errors;
}

function toProblem(error: ErrorObject, root: unknown, options: ValidateOptions): ConfigProblem {
  const segments = segmentsOf(error.instancePath, root);
  const { message, extra } = explain(error);
  const full = extra === undefined ? segments : [...segments, extra];
  const place = options.locate?.(full);
  return { source: options.source, path: formatPath(full), message, ...place };
}

/** JSON pointer (RFC 6901) to segments; a number is an index only where the document has an array. */
function segmentsOf(pointer: string, root: unknown): (string | number)[] {
  let node: unknown = root;
  return pointer
    .split('/')
    .slice(1)
    .map((raw) => {
      const key = raw.replaceAll('~1', '/').replaceAll('~0', '~');
      const inArray = Array.isArray(node);
      node = (node as Record<string, unknown> | undefined)?.[key];
      return inArray ? Number(key) : key;
    });
}

function distinct(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return [...new Map(problems.map((problem) => [`${problem.path}\u0000${problem.message}`, problem])).values()];
}
