/** A JSON schema or the schema part of a structural OpenAPI v3 document, as plain data. */
export type ConfigSchema = Readonly<Record<string, unknown>>;

/** Keywords that Kubernetes and OpenAPI know and that say nothing about validity here. */
export const annotationKeywords: readonly string[] = [
  'example',
  'externalDocs',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
];

/** Keywords whose sub-schemas only constrain what the schema around them describes: they must not close objects. */
const constraining = new Set(['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else']);

/**
 * Structural OpenAPI v3 to what ajv understands: objects that list properties are closed (Kubernetes would prune what is
 * unknown in silence; a file's author wants to be told), boolean exclusive bounds become numeric ones, and
 * x-kubernetes-int-or-string becomes its union.
 */
export function toJsonSchema(schema: ConfigSchema): Record<string, unknown> {
  return convert(schema, true) as Record<string, unknown>;
}

function convert(node: unknown, closing: boolean): unknown {
  if (Array.isArray(node)) return node.map((item) => convert(item, closing));
  if (typeof node !== 'object' || node === null) return node;
  const out: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(node)) out[key] = convertKeyword(key, value, closing);
  exclusive(out, 'exclusiveMinimum', 'minimum');
  exclusive(out, 'exclusiveMaximum', 'maximum');
  if (out['x-kubernetes-int-or-string'] === true && out['type'] === undefined) out['type'] = ['integer', 'string'];
  const open = out['x-kubernetes-preserve-unknown-fields'] === true || out['additionalProperties'] !== undefined;
  if (closing && !open && out['properties'] !== undefined) out['additionalProperties'] = false;
  return out;
}

function convertKeyword(key: string, value: unknown, closing: boolean): unknown {
  if (key === 'properties' || key === 'definitions' || key === '$defs' || key === 'patternProperties') {
    const entries = Object.entries((value ?? {}) as Record<string, unknown>);
    return Object.fromEntries(entries.map(([name, child]) => [name, convert(child, closing)]));
  }
  if (constraining.has(key)) return convert(value, false);
  if (key === 'items' || key === 'additionalProperties') return convert(value, closing);
  // Values such as default, enum and example are data, not schemas.
  return value;
}

function exclusive(out: Record<string, unknown>, flag: string, bound: string): void {
  if (typeof out[flag] !== 'boolean') return;
  if (out[flag]) {
    out[flag] = out[bound];
    delete out[bound];
  } else delete out[flag];
}
