import { expect, test } from 'vitest';
import { fixture } from './repository.js';
import type { LockEntry, Rule } from './repository.js';
import { heavyDependenciesUnreachable, heavyImports } from './rules/heavy-dependencies.js';
import { gatewayStages, packageLayers, packagesHaveLayers } from './rules/layers.js';
import { rules } from './rules/index.js';
import { manifestFields, packagesAreWorkspaces, topLevelDocuments } from './rules/manifests.js';
import { dependenciesMatchImports, noForeignPaths, referencesMatchDependencies } from './rules/package-boundaries.js';
import { environmentOnlyInMain, noExportAll, noLongFiles, noVagueFolders, suppressionsHaveReasons } from './rules/shape.js';
import { noForbiddenTexts } from './rules/texts.js';

interface Case {
  readonly rule: Rule;
  readonly texts: Readonly<Record<string, string>>;
  readonly lock?: Readonly<Record<string, LockEntry>>;
  /** The one violation expected: part of "path:line message". */
  readonly red?: RegExp;
}

const manifest = (fields: object): string => JSON.stringify(fields);
const wire = { 'services/wire/package.json': manifest({ name: '@headrace/wire', exports: { '.': '', './testing': '' } }) };
const gateway = { 'gateway/package.json': manifest({ name: '@headrace/gateway', dependencies: { '@headrace/wire': '0.1.0' } }) };
const complete = { license: 'Apache-2.0', type: 'module', private: true, engines: { node: '>=20' } };

const cases: Readonly<Record<string, Case>> = {
  'wire may not look up to the gateway': {
    rule: packageLayers,
    texts: { ...wire, 'services/wire/src/a.ts': `import { x } from '@headrace/gateway';` },
    red: /services\/wire\/src\/a\.ts:1 @headrace\/wire must not import @headrace\/gateway/,
  },
  'not even for a type': {
    rule: packageLayers,
    texts: { ...wire, 'services/wire/src/a.ts': `export type T = import('@headrace/gateway').X;` },
    red: /must not import/,
  },
  'nor by a dynamic import': {
    rule: packageLayers,
    texts: { ...wire, 'services/wire/src/a.ts': `export const x = await import('@headrace/inference');` },
    red: /must not import/,
  },
  'nor by a re-export': {
    rule: packageLayers,
    texts: { ...wire, 'services/wire/src/a.ts': `\nexport { x } from '@headrace/inference';` },
    red: /a\.ts:2 /,
  },
  'wire imports runtime': { rule: packageLayers, texts: { ...wire, 'services/wire/src/a.ts': `import { x } from '@headrace/runtime';` } },
  'a test may look anywhere': {
    rule: packageLayers,
    texts: { ...wire, 'services/wire/src/a.test.ts': `import { x } from '@headrace/gateway';` },
  },
  'a package without a layer is seen': {
    rule: packagesHaveLayers,
    texts: { 'services/new/package.json': manifest({ name: '@headrace/new' }) },
    red: /services\/new\/package\.json/,
  },
  'routing may not import batching': {
    rule: gatewayStages,
    texts: { 'gateway/src/routing/a.ts': `import { x } from '../batching/lane.js';` },
    red: /stage routing must not import/,
  },
  'nor a file of the assembly': {
    rule: gatewayStages,
    texts: { 'gateway/src/routing/a.ts': `import { x } from '../pipeline/a.js';` },
    red: /stage routing must not import/,
  },
  'a stage imports itself and the types between stages': {
    rule: gatewayStages,
    texts: { 'gateway/src/routing/a.ts': `import { x } from './deep/b.js'; import type { T } from '../domain/target.js';` },
  },
  'execution may not name the transport in use': {
    rule: gatewayStages,
    texts: { 'gateway/src/execution/a.ts': `import { grpcJsTransport } from '@headrace/wire';` },
    red: /must not use grpcJsTransport/,
  },
  'nor may transport': {
    rule: gatewayStages,
    texts: { 'gateway/src/transport/a.ts': `import { grpcJsTransport, registerHealth } from '@headrace/wire';` },
    red: /must not use grpcJsTransport/,
  },
  'all may use the port': {
    rule: gatewayStages,
    texts: {
      'gateway/src/execution/a.ts': `import { statusToRefusal } from '@headrace/wire'; import type { Channel } from '@headrace/wire';`,
    },
  },
  'a folder beside the stages may not reach into one': {
    rule: gatewayStages,
    texts: { 'gateway/src/domain/a.ts': `import { x } from '../routing/b.js';` },
    red: /domain\/ must not import stage routing/,
  },
  'a second file may not join stages': {
    rule: gatewayStages,
    texts: { 'gateway/src/server.ts': `import { x } from './routing/b.js'; import { y } from './batching/c.js';` },
    red: /only pipeline\/ joins stages/,
  },
  'the server puts transport before the pipeline': {
    rule: gatewayStages,
    texts: {
      'gateway/src/server.ts': `import { x } from './transport/b.js'; import { y } from './routing/c.js'; import { z } from './pipeline/a.js';`,
    },
  },
  'pipeline/ joins them': {
    rule: gatewayStages,
    texts: { 'gateway/src/pipeline/a.ts': `import { x } from '../routing/b.js'; import { y } from '../batching/c.js';` },
  },
  'a heavy dependency is seen through workspaces and packages': {
    rule: heavyDependenciesUnreachable,
    texts: gateway,
    lock: {
      gateway: { dependencies: { '@headrace/demo': '0.1.0' } },
      'node_modules/@headrace/demo': { resolved: 'services/demo', link: true },
      'services/demo': { dependencies: { middle: '1' } },
      'services/demo/node_modules/middle': { optionalDependencies: { 'onnxruntime-node': '1' } },
    },
    red: /gateway\/package\.json.*gateway -> @headrace\/demo -> middle -> onnxruntime-node/,
  },
  'a light tree passes': {
    rule: heavyDependenciesUnreachable,
    texts: gateway,
    lock: { gateway: { dependencies: { light: '1' } }, 'node_modules/light': {}, 'node_modules/onnxruntime-node': {} },
  },
  'the gateway may not import onnxruntime-node': {
    rule: heavyImports,
    texts: { ...gateway, 'gateway/src/a.test.ts': `import type { Tensor } from 'onnxruntime-node';` },
    red: /gateway\/src\/a\.test\.ts:1 onnxruntime-node may be imported/,
  },
  'a relative path may not leave its package': {
    rule: noForeignPaths,
    texts: { ...wire, ...gateway, 'gateway/src/a.ts': `import { x } from '../../services/wire/src/port.js';` },
    red: /leaves gateway for services\/wire/,
  },
  'nor may a name reach behind the exports': {
    rule: noForeignPaths,
    texts: { ...wire, ...gateway, 'gateway/src/a.ts': `import { x } from '@headrace/wire/src/port.js';` },
    red: /is not exported by @headrace\/wire/,
  },
  'exported subpaths are open': {
    rule: noForeignPaths,
    texts: { ...wire, ...gateway, 'gateway/src/a.ts': `import { x } from '@headrace/wire/testing'; import { y } from './b.js';` },
  },
  'a source may not import what the compiler wrote': {
    rule: noForeignPaths,
    texts: { ...gateway, 'gateway/src/a.ts': `import { x } from '../dist/b.js';` },
    red: /is build output/,
  },
  'a launcher in bin does': { rule: noForeignPaths, texts: { ...gateway, 'gateway/bin/gateway.js': `import '../dist/main.js';` } },
  'an import that is not declared': {
    rule: dependenciesMatchImports,
    texts: { ...gateway, 'gateway/src/a.ts': `import '@headrace/wire';\nimport { x } from 'yaml';` },
    red: /gateway\/src\/a\.ts:2 imports yaml/,
  },
  'a declaration that nothing imports': {
    rule: dependenciesMatchImports,
    texts: { ...gateway, 'gateway/src/a.ts': `export const x = 1;` },
    red: /gateway\/package\.json declares @headrace\/wire/,
  },
  'a development tool of the root in product code': {
    rule: dependenciesMatchImports,
    texts: {
      'package.json': manifest({ devDependencies: { vitest: '4' } }),
      ...wire,
      'services/wire/src/a.ts': `import { x } from 'vitest';`,
    },
    red: /imports vitest/,
  },
  'a development tool of the root in a test': {
    rule: dependenciesMatchImports,
    texts: {
      'package.json': manifest({ devDependencies: { vitest: '4' } }),
      ...wire,
      'services/wire/src/a.test.ts': `import { x } from 'vitest';`,
    },
  },
  'a dependency without a reference': {
    rule: referencesMatchDependencies,
    texts: { ...wire, 'services/wire/tsconfig.json': '{}', ...gateway, 'gateway/tsconfig.json': '{ "references": [] }' },
    red: /gateway\/tsconfig\.json lacks a reference to services\/wire/,
  },
  'a reference without a dependency': {
    rule: referencesMatchDependencies,
    texts: { ...gateway, 'gateway/tsconfig.json': '{ "references": [{ "path": "../proto" }] }' },
    red: /refers to proto/,
  },
  'a reference and a dependency': {
    rule: referencesMatchDependencies,
    texts: {
      ...wire,
      'services/wire/tsconfig.json': '{}',
      ...gateway,
      'gateway/tsconfig.json': '{ "references": [{ "path": "../services/wire" }] }',
    },
  },
  'a file of 501 lines': { rule: noLongFiles, texts: { 'gateway/src/a.ts': '\n'.repeat(501) }, red: /has 501 lines/ },
  'a file of 500 lines': { rule: noLongFiles, texts: { 'gateway/src/a.ts': '\n'.repeat(500) } },
  'a generated file of any length': { rule: noLongFiles, texts: { 'gateway/src/gen/a.ts': '\n'.repeat(5_000) } },
  'a folder named utils': { rule: noVagueFolders, texts: { 'gateway/src/utils/a.ts': '' }, red: /a folder named utils/ },
  'process.env in a module': {
    rule: environmentOnlyInMain,
    texts: { 'gateway/src/a.ts': `\nexport const x = process.env['X'];` },
    red: /a\.ts:2 only main\.ts/,
  },
  'process["env"] in a module': {
    rule: environmentOnlyInMain,
    texts: { 'gateway/src/a.ts': `export const x = process['env'];` },
    red: /only main\.ts/,
  },
  'env taken out of process': {
    rule: environmentOnlyInMain,
    texts: { 'gateway/src/a.ts': `const { env } = process; export { env };` },
    red: /only main\.ts/,
  },
  'env imported': {
    rule: environmentOnlyInMain,
    texts: { 'gateway/src/a.ts': `import { env } from 'node:process'; export const x = env;` },
    red: /only main\.ts/,
  },
  'process.env in main.ts, and the word in a comment': {
    rule: environmentOnlyInMain,
    texts: {
      'gateway/src/main.ts': `export const x = process.env['X'];`,
      'gateway/src/a.ts': `// not process.env\nexport const y = { env: 1 };`,
    },
  },
  'export * from': { rule: noExportAll, texts: { 'proto/src/index.ts': `export * from './a.js';` }, red: /list the names/ },
  'a list of names': { rule: noExportAll, texts: { 'proto/src/index.ts': `export { a } from './a.js';` } },
  'a suppression without a reason': {
    rule: suppressionsHaveReasons,
    texts: { 'proto/src/a.ts': `// oxlint-disable-next-line no-var\nvar x = 1;` },
    red: /names its rule and its reason/,
  },
  'a suppression without a rule': {
    rule: suppressionsHaveReasons,
    texts: { 'proto/src/a.ts': `/* eslint-disable */` },
    red: /names its rule/,
  },
  'a bare @ts-expect-error': {
    rule: suppressionsHaveReasons,
    texts: { 'proto/src/a.ts': `// @ts-expect-error\nlet x;` },
    red: /names its rule/,
  },
  'a Python suppression without a reason': {
    rule: suppressionsHaveReasons,
    texts: { 'a.py': 'import x  # noqa: E402\n' },
    red: /a\.py:1 .*# noqa/,
  },
  'a Python suppression with a reason': {
    rule: suppressionsHaveReasons,
    texts: { 'a.py': 'import x  # noqa: E402 - the path is set above\n' },
  },
  'a suppression inside a string': {
    rule: suppressionsHaveReasons,
    texts: { 'proto/src/a.ts': `export const x = '/* oxlint-disable */';` },
  },
  'suppressions with reasons': {
    rule: suppressionsHaveReasons,
    texts: {
      'proto/src/a.ts': `// oxlint-disable-next-line no-var, typescript/no-x -- the format asks for it\n// @ts-expect-error a number is refused here`,
    },
  },
  'a path of one machine': {
    rule: noForbiddenTexts,
    texts: { 'docs/a.md': 'see /home/someone/headrace' },
    red: /a path of one machine: \/home\/someone/,
  },
  'a registry host': { rule: noForbiddenTexts, texts: { 'docs/a.md': 'from https://pypi.org/simple' }, red: /a registry host/ },
  'a note to oneself': { rule: noForbiddenTexts, texts: { 'gateway/src/a.ts': '// TODO: later' }, red: /a note to oneself/ },
  'a tracker number': { rule: noForbiddenTexts, texts: { 'README.md': 'as issue 7 says' }, red: /tracker/ },
  'a merge left undone': { rule: noForbiddenTexts, texts: { 'README.md': 'a\n<<<<<<< ours\n' }, red: /README\.md:2 a merge/ },
  'harmless paths and words': {
    rule: noForbiddenTexts,
    texts: {
      'README.md': 'dist/root/x, ${work}/work, ~/work/x, https://example.com/home/x',
      'package-lock.json': '"https://registry.npmjs.org/a"',
    },
  },
  'a manifest without a licence': {
    rule: manifestFields,
    texts: { 'package.json': manifest({ ...complete, license: undefined }) },
    red: /license is absent/,
  },
  'engines that differ from the root': {
    rule: manifestFields,
    texts: { 'package.json': manifest(complete), 'proto/package.json': manifest({ ...complete, engines: { node: '>=18' } }) },
    red: /proto\/package\.json engines\.node/,
  },
  'a complete manifest': { rule: manifestFields, texts: { 'package.json': manifest(complete) } },
  'a package outside the workspaces': {
    rule: packagesAreWorkspaces,
    texts: { 'package.json': manifest({ workspaces: ['proto'] }), 'gateway/package.json': manifest({}) },
    red: /not among the workspaces/,
  },
  'a package outside the build': {
    rule: packagesAreWorkspaces,
    texts: {
      'package.json': manifest({ workspaces: ['proto'] }),
      'tsconfig.json': '{}',
      'proto/package.json': manifest({}),
      'proto/tsconfig.json': '{}',
    },
    red: /not referred to by the root/,
  },
};

test.each(Object.entries(cases))('%s', (_sentence, { rule, texts, lock, red }) => {
  const found = rule(fixture(texts, lock)).map(({ path, line, message }) => `${path}${line === undefined ? '' : `:${line}`} ${message}`);
  expect(found).toHaveLength(red === undefined ? 0 : 1);
  expect(found.join('\n')).toMatch(red ?? /^$/);
});

test('missing documents are each named', () => {
  const found = topLevelDocuments(fixture({ 'README.md': 'npm start, npm test', LICENSE: 'MIT' }));
  expect(found.map(({ path }) => path)).toEqual(['LICENSE', 'CHANGELOG.md', 'CONTRIBUTING.md', 'docs/architecture.md', '.ci/run']);
});

test('every rule is proven red by a case above', () => {
  const proven = new Set(Object.values(cases).flatMap(({ rule, red }) => (red === undefined ? [] : [rule])));
  proven.add(topLevelDocuments);
  expect(Object.entries(rules).flatMap(([sentence, rule]) => (proven.has(rule) ? [] : [sentence]))).toEqual([]);
});
