import { dirname, join } from 'node:path/posix';
import { builtinModules } from 'node:module';
import { packageName } from '../imports.js';
import type { Import } from '../imports.js';
import { codeFiles, isGenerated, isTestCode, moduleFiles, packageAt } from '../repository.js';
import type { Package, Repository, Rule, SourceFile, Violation } from '../repository.js';

/** Others are reached by name through their exports, never by a path into their folders. */
export const noForeignPaths: Rule = (repository) =>
  codeFiles(repository).flatMap((file) => {
    const own = packageAt(repository, file.path)?.folder ?? '';
    return file.imports.flatMap(({ specifier, line }) => {
      const message = specifier.startsWith('.') ? relativeProblem(repository, file, own, specifier) : exportProblem(repository, specifier);
      return message === undefined ? [] : [{ path: file.path, line, message }];
    });
  });

function relativeProblem(repository: Repository, file: SourceFile, own: string, specifier: string): string | undefined {
  const target = join(dirname(file.path), specifier);
  const owner = packageAt(repository, target)?.folder ?? '';
  if (owner !== own) return `${specifier} leaves ${own || 'the root'} for ${owner || 'the root'}: import it by its package name`;
  // Launchers in bin/ start what was built.
  return /(^|\/)dist\//.test(target) && !/(^|\/)bin\//.test(file.path) ? `${specifier} is build output: import the source` : undefined;
}

function exportProblem(repository: Repository, specifier: string): string | undefined {
  const name = packageName(specifier);
  const target = name === undefined ? undefined : repository.packages.find(({ manifest }) => manifest.name === name);
  if (name === undefined || target === undefined) return undefined;
  const subpath = `.${specifier.slice(name.length)}`;
  const open = Object.keys(target.manifest.exports ?? { '.': '' });
  const matches = open.some((key) => key === subpath || (key.includes('*') && wildcard(key).test(subpath)));
  return matches ? undefined : `${specifier} is not exported by ${name}, which exports ${open.join(', ')}`;
}

function wildcard(key: string): RegExp {
  return new RegExp(`^${key.split('*').map(escape).join('.+')}$`);
}

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** What a package imports it declares, and what it declares it imports: or an image lacks a module, or carries a needless one. */
export const dependenciesMatchImports: Rule = (repository) => repository.packages.flatMap((each) => dependencyProblems(repository, each));

function dependencyProblems(repository: Repository, owner: Package): readonly Violation[] {
  const rootDevelopment = Object.keys(repository.packages.find(({ folder }) => folder === '')?.manifest.devDependencies ?? {});
  const declared = Object.keys(owner.manifest.dependencies ?? {});
  const mine = moduleFiles(repository).filter(({ path }) => packageAt(repository, path) === owner);
  const undeclared = mine.flatMap((file) =>
    file.imports.flatMap(({ specifier, line }): Violation[] => {
      const name = packageName(specifier);
      if (name === undefined || name === owner.manifest.name || declared.includes(name)) return [];
      if (builtinModules.includes(specifier)) return [];
      // Tests, generators and generated code use the root's development tools and look at all packages; npm links those.
      const lenient = isTestCode(file.path) || isGenerated(file.path) || file.path.includes('/scripts/') || owner.folder === '';
      if (lenient && (rootDevelopment.includes(name) || workspaceNames(repository).includes(name))) return [];
      return [{ path: file.path, line, message: `imports ${name}, which ${owner.folder || 'the root'}/package.json does not declare` }];
    }),
  );
  // A package may also be found by name at run time: its name in quotes counts as use.
  const used = (name: string): boolean =>
    mine.some(({ imports, text }) => imports.some(isFrom(name)) || new RegExp(`['"\`]${escape(name)}(/|['"\`])`).test(text));
  const unused = declared
    .filter((name) => !used(name))
    .map((name) => ({ path: `${owner.folder || '.'}/package.json`, message: `declares ${name} and imports it nowhere` }));
  return [...undeclared, ...(mine.length === 0 ? [] : unused)];
}

function isFrom(name: string): (one: Import) => boolean {
  return ({ specifier }) => packageName(specifier) === name;
}

function workspaceNames(repository: Repository): readonly string[] {
  return repository.packages.map(({ manifest }) => manifest.name ?? '');
}

/** tsc -b builds in the order of references: a missing one compiles against a stale build. */
export const referencesMatchDependencies: Rule = (repository) =>
  repository.packages.flatMap(({ folder, manifest, references }) => {
    if (folder === '' || references === undefined) return [];
    const wanted = Object.keys(manifest.dependencies ?? {}).flatMap((name) => {
      const target = repository.packages.find((each) => each.manifest.name === name);
      return target?.references === undefined ? [] : [target.folder];
    });
    const path = `${folder}/tsconfig.json`;
    const missing = wanted
      .filter((each) => !references.includes(each))
      .map((each) => ({ path, message: `lacks a reference to ${each}, a dependency` }));
    const needless = references
      .filter((each) => !wanted.includes(each))
      .map((each) => ({ path, message: `refers to ${each}, which is no dependency` }));
    return [...missing, ...needless];
  });
