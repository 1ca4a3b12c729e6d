import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempDir } from '../places.js';
import { changedFiles, generatedFiles } from './generated.mjs';
import { closingLine, tally } from './summary.mjs';

describe('the closing line of npm test', () => {
  const passed = { name: 'a', state: 'passed', note: undefined };

  test('counts tests, and says nothing of skips where there are none', () => {
    const summary = tally([{ path: 'x', errors: 0, suiteErrors: 0, tests: [passed, passed] }], 0);
    expect(closingLine(summary)).toBe('2 passed, 0 failed');
  });

  test('lists each reason to skip once', () => {
    const skip = { name: 'b', state: 'skipped', note: 'needs: go' };
    const summary = tally([{ path: 'x', errors: 0, suiteErrors: 0, tests: [passed, skip, skip] }], 0);
    expect(summary.skips).toEqual(['2 skipped: needs: go']);
    expect(closingLine(summary)).toBe('1 passed, 0 failed, 2 skipped');
  });

  test.each([
    ['a failed test', { errors: 0, suiteErrors: 0, tests: [passed, { name: 'b', state: 'failed', note: undefined }] }, 0],
    ['a test that never ran', { errors: 0, suiteErrors: 0, tests: [passed, { name: 'b', state: 'pending', note: undefined }] }, 0],
    ['a file that cannot be imported', { errors: 1, suiteErrors: 0, tests: [passed] }, 0],
    ['a hook that throws', { errors: 0, suiteErrors: 1, tests: [passed] }, 0],
    ['a rejection that nobody caught', { errors: 0, suiteErrors: 0, tests: [passed] }, 1],
  ])('%s is a failure', (_sentence, file, unhandled) => {
    const summary = tally([{ path: 'x', ...file }], unhandled);
    expect(closingLine(summary)).toBe('1 passed, 1 failed');
    expect(summary.failures).toHaveLength(1);
  });
});

test('a generated file that is new, changed or gone is named; others are not looked at', async () => {
  const folder = await tempDir('generated');
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder.path, path)), { recursive: true });
    writeFileSync(join(folder.path, path), text);
  };
  write('a/src/gen/deep/changed.ts', '1');
  write('a/src/gen/gone.ts', '1');
  write('a/src/gen/same.ts', '1');
  write('a/src/own.ts', '1');
  write('a/dist/gen/built.js', '1');
  const before = generatedFiles(folder.path);
  write('a/src/gen/deep/changed.ts', '2');
  rmSync(join(folder.path, 'a/src/gen/gone.ts'));
  write('a/src/gen/new.ts', '1');
  write('a/src/own.ts', '2');
  write('a/dist/gen/built.js', '2');
  expect(changedFiles(before, generatedFiles(folder.path))).toEqual([
    'a/src/gen/deep/changed.ts (changed)',
    'a/src/gen/gone.ts (gone)',
    'a/src/gen/new.ts (new)',
  ]);
  await folder.remove();
});
