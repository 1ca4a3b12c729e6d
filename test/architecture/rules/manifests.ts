import type { Package, Rule, Violation } from '../repository.js';

const license = 'Apache-2.0';

/** Fields that every package.json carries. */
export const manifestFields: Rule = ({ packages }) => {
  const node = packages.find(({ folder }) => folder === '')?.manifest.engines?.['node'];
  return packages.flatMap((each) => fieldProblems(each, node));
};

function fieldProblems({ folder, manifest }: Package, node: string | undefined): readonly Violation[] {
  const path = folder === '' ? 'package.json' : `${folder}/package.json`;
  const wrong = (message: string): Violation => ({ path, message });
  return [
    ...(manifest.license === license ? [] : [wrong(`license is ${manifest.license ?? 'absent'}, expected ${license}`)]),
    ...(manifest.type === 'module' ? [] : [wrong(`type is ${manifest.type ?? 'absent'}, expected module`)]),
    ...(manifest.private === true ? [] : [wrong('private is not true: it could be published by accident')]),
    ...(manifest.engines?.['node'] !== undefined && manifest.engines['node'] === node
      ? []
      : [wrong(`engines.node is not the root's ${node ?? '(absent)'}`)]),
  ];
}

/** Each package is a workspace and part of the build. */
export const packagesAreWorkspaces: Rule = ({ packages }) => {
  const root = packages.find(({ folder }) => folder === '');
  const listed = root?.manifest.workspaces ?? [];
  return packages.flatMap(({ folder, references }) => {
    if (folder === '') return [];
    const path = `${folder}/package.json`;
    const workspace = listed.includes(folder) ? [] : [{ path, message: 'is not among the workspaces of the root package.json' }];
    const built =
      references === undefined || root?.references?.includes(folder) === true
        ? []
        : [{ path, message: 'is not referred to by the root tsconfig.json' }];
    return [...workspace, ...built];
  });
};

/** The documents a stranger looks for first. */
export const topLevelDocuments: Rule = ({ files }) => {
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const expected: Readonly<Record<string, RegExp>> = {
    LICENSE: /Apache License\s+Version 2\.0/,
    'README.md': /npm start[\s\S]*npm test|npm test[\s\S]*npm start/,
    'CHANGELOG.md': /Keep a Changelog/i,
    'CONTRIBUTING.md': /npm run verify/,
    'docs/architecture.md': /\S/,
    '.ci/run': /npm test/,
  };
  return Object.entries(expected).flatMap(([path, pattern]) => {
    const text = texts.get(path);
    if (text === undefined) return [{ path, message: 'is missing' }];
    return pattern.test(text) ? [] : [{ path, message: `lacks ${pattern}` }];
  });
};
