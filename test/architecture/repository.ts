import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isModule, readImports } from './imports.js';
import type { Import } from './imports.js';

/** The whole tree as the rules see it: a value, so that a rule is tested on a tree written in a test. */
export interface Repository {
  readonly files: readonly SourceFile[];
  readonly packages: readonly Package[];
  /** Of package-lock.json: "node_modules/x" or a workspace's folder to its entry. */
  readonly lock: Readonly<Record<string, LockEntry>>;
}

export interface SourceFile {
  /** Relative to the root, with "/". */
  readonly path: string;
  readonly text: string;
  /** Of TypeScript and JavaScript; empty for all else. */
  readonly imports: readonly Import[];
}

export interface Manifest {
  readonly name?: string;
  readonly private?: boolean;
  readonly type?: string;
  readonly license?: string;
  readonly engines?: Readonly<Record<string, string>>;
  readonly workspaces?: readonly string[];
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

export interface Package {
  /** "" for the root, else e.g. "services/wire". */
  readonly folder: string;
  readonly manifest: Manifest;
  /** Folders that tsconfig.json refers to, relative to the root; undefined: no tsconfig.json. */
  readonly references: readonly string[] | undefined;
}

export interface LockEntry {
  readonly link?: boolean;
  readonly resolved?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** What a rule has to say against one place. */
export interface Violation {
  readonly path: string;
  readonly line?: number;
  readonly message: string;
}

export type Rule = (repository: Repository) => readonly Violation[];

export function formatViolation(violation: Violation): string {
  return `${violation.path}${violation.line === undefined ? '' : `:${violation.line}`}: ${violation.message}`;
}

const textFile = /\.(ts|mjs|js|json|jsonc|yaml|yml|md|proto|py|txt|sh|toml)$|(^|\/)(LICENSE|NOTICE|\.npmrc|\.gitignore|run)$/;
const maxBytes = 4 * 1024 * 1024;

/** All files that git tracks or would track, as they lie in the work tree. */
export function readRepository(root: string): Repository {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: root,
    maxBuffer: 1 << 26,
  }).toString();
  const paths = [...new Set(listed.split('\0'))].filter((path) => path !== '' && existsSync(join(root, path)));
  const files = paths.map((path) => readSource(root, path));
  const packages = files
    .filter(({ path }) => /(^|\/)package\.json$/.test(path))
    .map(({ path, text }) => packageOf(path.slice(0, -'package.json'.length).replace(/\/$/, ''), text, files));
  const lockFile: unknown = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return { files, packages, lock: (lockFile as { packages: Record<string, LockEntry> }).packages };
}

/** Files and packages of a tree given as texts by path: the fixtures of the rules' own tests. */
export function fixture(texts: Readonly<Record<string, string>>, lock: Readonly<Record<string, LockEntry>> = {}): Repository {
  const files = Object.entries(texts).map(([path, text]) => ({ path, text, imports: readImports(path, text) }));
  const packages = files
    .filter(({ path }) => path.endsWith('package.json'))
    .map(({ path, text }) => packageOf(path.slice(0, -'package.json'.length).replace(/\/$/, ''), text, files));
  return { files, packages, lock };
}

function readSource(root: string, path: string): SourceFile {
  const full = join(root, path);
  if (!textFile.test(path) || statSync(full).size > maxBytes) return { path, text: '', imports: [] };
  const text = readFileSync(full, 'utf8');
  return { path, text, imports: readImports(path, text) };
}

function packageOf(folder: string, text: string, files: readonly SourceFile[]): Package {
  const config = files.find(({ path }) => path === (folder === '' ? 'tsconfig.json' : `${folder}/tsconfig.json`));
  return {
    folder,
    manifest: JSON.parse(text) as Manifest,
    references: config === undefined ? undefined : readReferences(folder, config.text),
  };
}

function readReferences(folder: string, text: string): readonly string[] {
  // tsconfig.json may hold comments; paths of references hold no quotes.
  return [...text.matchAll(/"path"\s*:\s*"([^"]+)"/g)].map((match) => join(folder, match[1] ?? '').replace(/\/$/, ''));
}

/** The workspace a file belongs to; the root package for what is outside all of them. */
export function packageAt(repository: Repository, path: string): Package | undefined {
  const owners = repository.packages.filter(({ folder }) => folder === '' || path.startsWith(`${folder}/`));
  return owners.sort((a, b) => b.folder.length - a.folder.length)[0];
}

/** TypeScript and JavaScript, generated included. */
export function moduleFiles(repository: Repository): readonly SourceFile[] {
  return repository.files.filter(({ path }) => isModule(path));
}

/** Handwritten TypeScript and JavaScript. */
export function codeFiles(repository: Repository): readonly SourceFile[] {
  return moduleFiles(repository).filter(({ path }) => !isGenerated(path));
}

export function isGenerated(path: string): boolean {
  return /(^|\/)gen\//.test(path);
}

/** Tests and what only they use: the fences around product code do not bind them. */
export function isTestCode(path: string): boolean {
  return path.startsWith('test/') || path.endsWith('.test.ts') || path.includes('/testing/') || path === 'vitest.config.ts';
}
