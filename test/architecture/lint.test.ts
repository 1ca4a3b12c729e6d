import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { paths } from '../harness/paths.js';

/** The rules of .oxlintrc.json that the house style leans on, each with code that must be refused. */
const refused: Readonly<
  Record<string, { readonly rule: string; readonly code: string; readonly also?: Readonly<Record<string, string>> }>
> = {
  'a promise that nobody awaits': { rule: 'no-floating-promises', code: 'export async function f(): Promise<void> {}\nf();' },
  'a switch that forgets a case': {
    rule: 'switch-exhaustiveness-check',
    code: `export function f(k: 'a' | 'b'): number { switch (k) { case 'a': return 1; } return 2; }`,
  },
  'an import that is only a type': { rule: 'consistent-type-imports', code: `import { Stats } from 'node:fs';\nexport type S = Stats;` },
  'two modules that import each other': {
    rule: 'no-cycle',
    code: `import { b } from './cycle-b.js';\nexport const a = (): unknown => b;`,
    also: { 'cycle-b.ts': `import { a } from './case.js';\nexport const b = (): unknown => a;` },
  },
  any: { rule: 'no-explicit-any', code: 'export const x: any = 1;' },
  'a value of type any': { rule: 'no-unsafe-assignment', code: `export const x: string = JSON.parse('1');` },
  'a non-null assertion': { rule: 'no-non-null-assertion', code: `export const x = (process.argv[2] as string | undefined)!.length;` },
  'a default export': { rule: 'no-default-export', code: 'const x = 1;\nexport default x;' },
  'Date.now': { rule: 'no-restricted-properties', code: 'export const x = Date.now();' },
  'performance.now': { rule: 'no-restricted-properties', code: 'export const x = performance.now();' },
  setTimeout: { rule: 'no-restricted-globals', code: 'export const x = setTimeout(() => undefined, 1);' },
  setInterval: { rule: 'no-restricted-globals', code: 'export const x = setInterval(() => undefined, 1);' },
  'timers by import': {
    rule: 'no-restricted-imports',
    code: `import { setTimeout as sleep } from 'node:timers/promises';\nexport const x = sleep(1);`,
  },
  'a thrown string': { rule: 'only-throw-error', code: `export function f(): never { throw 'x'; }` },
  'a log line past the logger': { rule: 'no-console', code: `console.log('x');` },
  'a suppression that suppresses nothing': { rule: 'Unused', code: `// oxlint-disable-next-line no-var -- none here\nexport const x = 1;` },
};

/** The same code where it is right. */
const accepted: Readonly<Record<string, string>> = {
  'main.ts': 'export const x = setTimeout(() => undefined, 1);',
  'testing/fake.ts': 'export const x = Date.now();',
  'a.test.ts': 'export const x = performance.now();',
};

describe('the lint configuration', () => {
  let folder: string;
  let found = new Map<string, readonly string[]>();

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'headrace-lint-'));
    const extend = {
      extends: join(paths.root, 'tsconfig.json'),
      compilerOptions: { typeRoots: [join(paths.root, 'node_modules/@types')] },
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...extend, files: undefined, include: ['src'], references: [] }));
    cpSync(join(paths.root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
    symlinkSync(join(paths.root, 'node_modules'), join(folder, 'node_modules'));
    Object.values(refused).forEach(({ code, also }, index) => {
      for (const [name, text] of Object.entries({ 'case.ts': code, ...also })) write(join('src', `bad-${index}`, name), text);
    });
    for (const [path, text] of Object.entries(accepted)) write(join('src/good', path), text);
    found = findings(lint());
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), `${text}\n`);
  }

  function lint(): string {
    try {
      return execFileSync(join(paths.root, 'node_modules/.bin/oxlint'), ['--type-aware', '--format=unix', 'src'], {
        cwd: folder,
        encoding: 'utf8',
      });
    } catch (error) {
      // Exit code 1 says that something was found.
      return error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
    }
  }

  test.each(Object.entries(refused).map(([sentence, { rule }], index) => ({ sentence, rule, index })))(
    'refuses $sentence',
    ({ rule, index }) => {
      expect(found.get(`src/bad-${index}/case.ts`) ?? []).toContainEqual(expect.stringContaining(rule));
    },
  );

  test.each(Object.keys(accepted))('accepts clocks and timers in %s', (path) => {
    expect(found.get(`src/good/${path}`)).toBeUndefined();
  });
});

/** "path:line:column: message [Error/rule]" by path. */
function findings(output: string): Map<string, readonly string[]> {
  const byPath = new Map<string, readonly string[]>();
  for (const line of output.split('\n')) {
    const [, path, message] = /^([^:]+):\d+:\d+: (.*)$/.exec(line) ?? [];
    if (path !== undefined && message !== undefined) byPath.set(path, [...(byPath.get(path) ?? []), message]);
  }
  return byPath;
}
