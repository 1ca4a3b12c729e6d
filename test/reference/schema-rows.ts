interface Node {
  readonly type?: unknown;
  readonly description?: unknown;
  readonly default?: string | number | boolean;
  readonly enum?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: unknown;
  readonly items?: unknown;
  readonly required?: unknown;
}

/** A Markdown table row for each field of a structural schema, in its order: path, type with limits, description. */
export function schemaRows(schema: unknown, path = ''): string[] {
  const node = asNode(schema);
  const required = Array.isArray(node.required) ? node.required : [];
  return Object.entries(asRecord(node.properties)).flatMap(([name, child]) => {
    const field = asNode(child);
    const here = path === '' ? name : `${path}.${name}`;
    const isList = field.type === 'array';
    const below = schemaRows(isList ? field.items : field, isList ? `${here}[]` : here);
    const must = required.includes(name) ? ', required' : '';
    return [`| \`${here}\` | ${typeOf(field)}${must} | ${cell(field.description)} |`, ...below];
  });
}

function typeOf(node: Node): string {
  if (Array.isArray(node.enum)) return node.enum.map((value) => `\`${String(value)}\``).join(' or ');
  if (node.type === 'array') return `list of ${typeOf(asNode(node.items))}`;
  const range = node.minimum === undefined ? '' : ` ${node.minimum} to ${node.maximum ?? 'any'}`;
  const preset = node.default === undefined ? '' : `, default \`${node.default}\``;
  return `${String(node.type)}${range}${preset}`;
}

function cell(description: unknown): string {
  return typeof description === 'string' ? description.replaceAll('|', '\\|').replaceAll('\n', ' ') : '';
}

function asNode(value: unknown): Node {
  return asRecord(value);
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
