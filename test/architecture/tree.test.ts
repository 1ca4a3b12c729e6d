import { describe, expect, test } from 'vitest';
import { paths } from '../harness/paths.js';
import { formatViolation, readRepository } from './repository.js';
import { rules } from './rules/index.js';

describe('in this tree', () => {
  const repository = readRepository(paths.root);

  test.each(Object.entries(rules))('%s', (_sentence, rule) => {
    expect(rule(repository).map(formatViolation)).toEqual([]);
  });

  test('the reader sees the tree: packages, sources and their imports', () => {
    expect(repository.packages.map(({ folder }) => folder)).toEqual(
      expect.arrayContaining(['', 'proto', 'gateway', 'services/wire', 'test']),
    );
    const wirePort = repository.files.find(({ path }) => path === 'services/wire/src/port.ts');
    expect(wirePort?.imports.map(({ specifier }) => specifier)).toContain('@headrace/runtime');
    expect(Object.keys(repository.lock)).toContain('services/inference');
  });
});
