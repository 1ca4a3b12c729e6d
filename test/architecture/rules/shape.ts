import { parseSync, Visitor } from 'oxc-parser';
import { lineAt } from '../imports.js';
import { codeFiles, isGenerated, isTestCode } from '../repository.js';
import type { Repository, Rule, SourceFile, Violation } from '../repository.js';

const maxLines = 500;
const sourceFile = /\.(ts|mjs|js|py|proto)$/;
const vagueFolders = /(^|\/)(utils?|helpers?|common|misc|shared)\//;

/** A file of one responsibility is seldom past 350 lines; past 500 it is split. */
export const noLongFiles: Rule = ({ files }) =>
  files
    .filter(({ path }) => sourceFile.test(path) && !isGenerated(path) && !isForeignContract(path))
    .flatMap(({ path, text }) => {
      const lines = text.split('\n').length - 1;
      return lines > maxLines ? [{ path, message: `has ${lines} lines, more than ${maxLines}: split it by responsibility` }] : [];
    });

/** Contracts of other projects come in their own size. */
function isForeignContract(path: string): boolean {
  return /^proto\/(google|grpc|inference)\/.*\.proto$/.test(path);
}

/** A folder's name says what is in it. */
export const noVagueFolders: Rule = ({ files }) =>
  files.flatMap(({ path }) => {
    const found = vagueFolders.exec(path)?.[2];
    return found === undefined ? [] : [{ path, message: `lies in a folder named ${found}: name it after what it does` }];
  });

/** Configuration enters in one place of each program; all else takes it as an argument. */
export const environmentOnlyInMain: Rule = (repository) =>
  productFiles(repository)
    .filter(({ path }) => !path.endsWith('/main.ts'))
    .flatMap((file) => environmentReads(file).map((line) => ({ path: file.path, line, message: 'only main.ts reads process.env' })));

function environmentReads(file: SourceFile): readonly number[] {
  if (!/\benv\b/.test(file.text)) return [];
  const lines: number[] = [];
  const imported = file.imports.filter(({ specifier, names }) => /^(node:)?process$/.test(specifier) && names.includes('env'));
  new Visitor({
    MemberExpression({ object, property, computed, start }) {
      const name = !computed && property.type === 'Identifier' ? property.name : property.type === 'Literal' ? property.value : undefined;
      if (object.type === 'Identifier' && object.name === 'process' && name === 'env') lines.push(lineAt(file.text, start));
    },
    VariableDeclarator({ id, init, start }) {
      if (init?.type !== 'Identifier' || init.name !== 'process' || id.type !== 'ObjectPattern') return;
      const names = id.properties.map((each) => (each.type === 'Property' && each.key.type === 'Identifier' ? each.key.name : ''));
      if (names.includes('env')) lines.push(lineAt(file.text, start));
    },
  }).visit(parseSync(file.path, file.text).program);
  return [...imported.map(({ line }) => line), ...lines];
}

/** An index lists its names, so that what a package offers is read in one place. */
export const noExportAll: Rule = (repository) =>
  codeFiles(repository).flatMap(({ path, imports }) =>
    imports
      .filter(({ exportsAll }) => exportsAll)
      .map(({ line, specifier }) => ({ path, line, message: `export * from '${specifier}': list the names` })),
  );

const lintSuppression = /^\s*(?:oxlint|eslint)-disable(?:-next-line|-line)?(?!-)([^\n]*)/;
const typeSuppression = /^\s*@ts-(?:ignore|nocheck|expect-error)([^\n]*)/;
const pythonSuppression = /# (?:noqa|type: ignore)([^\n]*)/g;

/** Each suppression names its rule and, after two dashes, its reason. */
export const suppressionsHaveReasons: Rule = (repository) => [
  ...codeFiles(repository).flatMap((file) =>
    bareSuppressions(file).map((at) => suppressionViolation(file, at, 'oxlint-disable-next-line RULE -- because')),
  ),
  ...repository.files
    .filter(({ path }) => path.endsWith('.py'))
    .flatMap((file) => barePython(file).map((at) => suppressionViolation(file, at, '# noqa: RULE - because'))),
];

function suppressionViolation({ path, text }: SourceFile, at: number, example: string): Violation {
  return {
    path,
    line: lineAt(text, at),
    message: `a suppression names its rule and its reason, e.g. "${example}"`,
  };
}

function bareSuppressions({ path, text }: SourceFile): readonly number[] {
  return parseSync(path, text).comments.flatMap(({ value, start }) => {
    const lint = lintSuppression.exec(value)?.[1];
    const type = typeSuppression.exec(value)?.[1];
    const fine = (lint === undefined || /^ [\w/@-]+(, ?[\w/@-]+)* -- \S+/.test(lint)) && (type === undefined || /^:? \S+ \S+/.test(type));
    return fine ? [] : [start];
  });
}

function barePython({ text }: SourceFile): readonly number[] {
  return [...text.matchAll(pythonSuppression)].flatMap((match) =>
    /^(: ?[A-Z]\w+|\[[\w-]+\]).* \S+/.test(match[1] ?? '') ? [] : [match.index],
  );
}

function productFiles(repository: Repository): readonly SourceFile[] {
  return codeFiles(repository).filter(({ path }) => !isTestCode(path) && !path.includes('/scripts/') && /\/src\//.test(path));
}
