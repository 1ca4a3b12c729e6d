import { dirname, join } from 'node:path/posix';
import { packageName } from '../imports.js';
import { codeFiles, isTestCode, packageAt } from '../repository.js';
import type { Repository, Rule, SourceFile, Violation } from '../repository.js';

/**
 * Which packages a package may import, by the tree's one way:
 *
 *     proto <- runtime <- wire, batching <- inference, gateway <- cli
 */
const allowedPackages: Readonly<Record<string, readonly string[]>> = {
  '@headrace/proto': [],
  '@headrace/runtime': ['@headrace/proto'],
  '@headrace/wire': ['@headrace/proto', '@headrace/runtime'],
  '@headrace/batching': ['@headrace/proto', '@headrace/runtime'],
  '@headrace/inference': ['@headrace/proto', '@headrace/runtime', '@headrace/wire', '@headrace/batching'],
  '@headrace/gateway': ['@headrace/proto', '@headrace/runtime', '@headrace/wire', '@headrace/batching'],
  '@headrace/demo': [],
  '@headrace/cli': ['@headrace/proto', '@headrace/runtime', '@headrace/wire', '@headrace/inference', '@headrace/gateway', '@headrace/demo'],
};

const stages: readonly string[] = ['transport', 'admission', 'cache', 'experiments', 'batching', 'routing', 'execution'];
/** Types that pass between stages; imports no stage itself. */
const sharedByStages: readonly string[] = ['domain', 'gen'];
/** What a stage other than transport may use of wire besides types: the port and the table between refusals and statuses. */
const wirePortValues: readonly string[] = ['Metadata', 'statusToRefusal', 'refusalToStatus'];
const implementations: readonly string[] = ['grpcJsTransport', 'http2Transport', 'transportOf'];
const gatewaySource = 'gateway/src';

/** Packages import only what lies below them. Tests may look anywhere. */
export const packageLayers: Rule = (repository) =>
  productFiles(repository).flatMap((file) => {
    const owner = packageAt(repository, file.path)?.manifest.name ?? '';
    const allowed = allowedPackages[owner];
    if (allowed === undefined) return [];
    return file.imports.flatMap(({ specifier, line }) => {
      const target = packageName(specifier);
      if (target === undefined || !target.startsWith('@headrace/') || target === owner || allowed.includes(target)) return [];
      return [
        { path: file.path, line, message: `${owner} must not import ${target}; it may import ${allowed.join(', ') || 'no other package'}` },
      ];
    });
  });

/** A new package states its layer here before it imports anything. */
export const packagesHaveLayers: Rule = (repository) =>
  repository.packages
    .filter(({ folder, manifest }) => folder !== '' && folder !== 'test' && allowedPackages[manifest.name ?? ''] === undefined)
    .map(({ folder, manifest }) => ({ path: `${folder}/package.json`, message: `${manifest.name} has no row in the table of layers` }));

/** A stage of the gateway sees itself, the types between stages, and of wire the port; never a sibling. */
export const gatewayStages: Rule = (repository) =>
  productFiles(repository)
    .filter(({ path }) => path.startsWith(`${gatewaySource}/`))
    .flatMap((file) => {
      const own = folderOf(file.path);
      if (own !== undefined && stages.includes(own)) return [...siblingImports(file, own), ...wireImports(file, own)];
      if (own === joiner) return [];
      return own === undefined ? assemblyImports(file) : stageImportsFromOutside(file, own);
    });

const joiner = 'pipeline';

function siblingImports(file: SourceFile, stage: string): readonly Violation[] {
  return targets(file).flatMap(({ folder, line, specifier }) => {
    if (folder === stage || (folder !== undefined && sharedByStages.includes(folder))) return [];
    return [
      { path: file.path, line, message: `stage ${stage} must not import ${specifier}: only itself, ${sharedByStages.join(' and ')}` },
    ];
  });
}

function wireImports(file: SourceFile, stage: string): readonly Violation[] {
  return file.imports.flatMap(({ specifier, valueNames, line }) => {
    if (packageName(specifier) !== '@headrace/wire') return [];
    const refused = valueNames.filter((name) => (stage === 'transport' ? implementations.includes(name) : !wirePortValues.includes(name)));
    return refused.map((name) => ({ path: file.path, line, message: `stage ${stage} must not use ${name}: it knows wire's port alone` }));
  });
}

function stageImportsFromOutside(file: SourceFile, own: string): readonly Violation[] {
  return targets(file).flatMap(({ folder, line }) => {
    if (folder === undefined || !stages.includes(folder)) return [];
    return [{ path: file.path, line, message: `${own}/ must not import stage ${folder}: pipeline/ joins the stages` }];
  });
}

/** Transport is the door in front of the pipeline; of the stages behind it a file beside them may know one, and so joins none. */
function assemblyImports(file: SourceFile): readonly Violation[] {
  if (file.path === `${gatewaySource}/index.ts`) return [];
  const behind = stages.filter((stage) => stage !== 'transport');
  const seen = [...new Set(targets(file).flatMap(({ folder }) => (folder !== undefined && behind.includes(folder) ? [folder] : [])))];
  if (seen.length < 2) return [];
  return [{ path: file.path, message: `only pipeline/ joins stages; this imports ${seen.join(', ')}` }];
}

/** Relative imports that stay in the gateway's source, by the folder they reach; undefined: a file directly in src. */
function targets(file: SourceFile): readonly { folder: string | undefined; line: number; specifier: string }[] {
  return file.imports
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map(({ specifier, line }) => ({ folder: folderOf(join(dirname(file.path), specifier)), line, specifier }));
}

function folderOf(path: string): string | undefined {
  const inside = path.slice(gatewaySource.length + 1).split('/');
  return inside.length > 1 ? inside[0] : undefined;
}

function productFiles(repository: Repository): readonly SourceFile[] {
  return codeFiles(repository).filter(({ path }) => !isTestCode(path));
}
