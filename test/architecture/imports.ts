import { parseSync, Visitor } from 'oxc-parser';

export interface Import {
  /** As written, e.g. "./lane.js" or "@headrace/wire/testing". */
  readonly specifier: string;
  /** Vanishes when compiled. */
  readonly typeOnly: boolean;
  /** Imported or re-exported names; "*" for all of them; empty for a bare import or a dynamic one. */
  readonly names: readonly string[];
  /** Of names: those that do not vanish. */
  readonly valueNames: readonly string[];
  readonly line: number;
  /** `export * from` */
  readonly exportsAll: boolean;
}

export function isModule(path: string): boolean {
  return /\.(ts|mts|mjs|js)$/.test(path);
}

export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let index = text.indexOf('\n'); index !== -1 && index < offset; index = text.indexOf('\n', index + 1)) line++;
  return line;
}

/** All that a module takes from others: static, re-exported, dynamic, `import('x').Type`, require and require.resolve. */
export function readImports(path: string, text: string): readonly Import[] {
  if (!isModule(path)) return [];
  const parsed = parseSync(path, text);
  if (parsed.errors.length > 0) throw new Error(`${path}: ${parsed.errors[0]?.message ?? 'cannot be parsed'}`);
  const found: Import[] = [];
  const add = (
    specifier: string,
    start: number,
    entries: readonly { name: string; isType: boolean }[],
    more: Partial<Import> = {},
  ): void => {
    found.push({
      specifier,
      typeOnly: entries.length > 0 && entries.every((entry) => entry.isType),
      names: entries.map((entry) => entry.name),
      valueNames: entries.filter((entry) => !entry.isType).map((entry) => entry.name),
      line: lineAt(text, start),
      exportsAll: false,
      ...more,
    });
  };
  for (const { moduleRequest, start, entries } of parsed.module.staticImports) {
    add(
      moduleRequest.value,
      start,
      entries.map(({ importName, isType }) => ({
        name: importName.name ?? (importName.kind === 'NamespaceObject' ? '*' : 'default'),
        isType,
      })),
    );
  }
  for (const { start, entries } of parsed.module.staticExports) {
    for (const { moduleRequest, importName, isType } of entries) {
      if (moduleRequest === null) continue;
      const all = importName.kind === 'AllButDefault' || importName.kind === 'All';
      add(moduleRequest.value, start, [{ name: importName.name ?? '*', isType }], { exportsAll: all });
    }
  }
  new Visitor({
    ImportExpression({ source, start }) {
      if (source.type === 'Literal' && typeof source.value === 'string') add(source.value, start, []);
    },
    TSImportType({ source, start }) {
      if (typeof source.value === 'string') add(source.value, start, [], { typeOnly: true });
    },
    CallExpression({ callee, arguments: args, start }) {
      const [first] = args;
      if (!isRequire(callee) || first?.type !== 'Literal' || typeof first.value !== 'string') return;
      add(first.value, start, []);
    },
  }).visit(parsed.program);
  return found;
}

/** require(x), require.resolve(x), anything.resolve('pkg') made by createRequire, import.meta.resolve(x). */
function isRequire(callee: { readonly type: string }): boolean {
  if (callee.type === 'Identifier') return 'name' in callee && callee.name === 'require';
  if (callee.type !== 'MemberExpression' || !('object' in callee) || !('property' in callee)) return false;
  const { object, property } = callee as { object: { type: string; name?: string }; property: { name?: string } };
  return property.name === 'resolve' && (object.type === 'MetaProperty' || object.name === 'require');
}

/** "@scope/name/sub" gives "@scope/name"; undefined for relative paths and Node's own modules. */
export function packageName(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('/') || specifier.startsWith('node:') || specifier.startsWith('#'))
    return undefined;
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
