import { loadConfig, parseYamlDocument, validateDocument } from '@headrace/runtime';
import type { ConfigProblem, ConfigSchema, Result } from '@headrace/runtime';
import type { Report } from './report.js';

/**
 * Parse -> validate -> check meaning, all problems of both at once. The meaning is also checked where only bounds,
 * patterns or unknown keys are wrong; with a wrong type or a missing field it could not be read.
 */
export function loadDocument<T>(
  schema: ConfigSchema,
  text: string,
  source: string,
  check: (document: T, report: Report) => void,
): Result<T, readonly ConfigProblem[]> {
  const loaded = loadConfig<T>({ schema, text, source });
  const readable = loaded.ok ? loaded.value : readableAs<T>(schema, text, source);
  const problems = loaded.ok ? [] : [...loaded.refusal];
  const told = new Set(problems.map(({ path }) => path));
  if (readable !== undefined) {
    check(readable, (path, message) => {
      if (!told.has(path)) problems.push({ source, path, message });
    });
  }
  return loaded.ok && problems.length === 0 ? loaded : { ok: false, refusal: problems };
}

function readableAs<T>(schema: ConfigSchema, text: string, source: string): T | undefined {
  const parsed = parseYamlDocument(text, source);
  if (!parsed.ok) return undefined;
  const shaped = validateDocument<T>({ schema: shapeOf(schema), value: parsed.value.value, source });
  return shaped.ok ? shaped.value : undefined;
}

const shapes = new WeakMap<ConfigSchema, ConfigSchema>();

/** Types and required fields alone, unknown keys allowed. */
function shapeOf(schema: ConfigSchema): ConfigSchema {
  const known = shapes.get(schema);
  if (known !== undefined) return known;
  const { type, required, properties, items } = schema;
  const shape: ConfigSchema = {
    type,
    ...(required === undefined ? {} : { required }),
    ...(items === undefined ? {} : { items: shapeOf(items as ConfigSchema) }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties as Record<string, ConfigSchema>).map(([name, node]) => [name, shapeOf(node)]),
          ),
          'x-kubernetes-preserve-unknown-fields': true,
        }),
  };
  shapes.set(schema, shape);
  return shape;
}
