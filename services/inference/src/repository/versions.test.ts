import { expect, it } from 'vitest';
import { chooseVersions, versionNumber } from './versions.js';

it.each([
  ['the highest one', { kind: 'latest', count: 1 }, [2, 10, 1], [10], []],
  ['the two highest', { kind: 'latest', count: 2 }, [2, 10, 1], [2, 10], []],
  ['more than there are', { kind: 'latest', count: 5 }, [1], [1], []],
  ['all', { kind: 'all' }, [3, 1], [1, 3], []],
  ['specific ones, one of them not there', { kind: 'specific', versions: [3, 7] }, [1, 3], [3], [7]],
] as const)('chooses %s', (_name, policy, available, chosen, missing) => {
  expect(chooseVersions(policy, available)).toEqual({ chosen, missing });
});

it.each([
  ['1', 1],
  ['42', 42],
  ['0', undefined],
  ['01', undefined],
  ['v1', undefined],
  ['1.0', undefined],
  ['9999999999999999', undefined],
])('folder %j is version %s', (folder, version) => {
  expect(versionNumber(folder)).toBe(version);
});
