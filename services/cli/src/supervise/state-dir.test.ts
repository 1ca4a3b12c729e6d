import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StateDir } from './state-dir.js';

let parent: string;
beforeEach(() => void (parent = mkdtempSync(join(tmpdir(), 'state-dir-test-'))));
afterEach(() => rmSync(parent, { recursive: true }));

test('is closed to others, whatever the umask', () => {
  const before = process.umask(0);
  const dir = new StateDir(parent);
  const file = dir.write('table.yaml', 'a');
  process.umask(before);
  expect(statSync(dir.path).mode & 0o777).toBe(0o700);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a rewrite replaces the file and leaves nothing beside it', () => {
  const dir = new StateDir(parent);
  const file = dir.write('table.yaml', 'old');
  const inode = statSync(file).ino;
  dir.write('table.yaml', 'new');
  expect(readFileSync(file, 'utf8')).toBe('new');
  // Another inode: a reader that has the old one open keeps it whole.
  expect(statSync(file).ino).not.toBe(inode);
  expect(readdirSync(dir.path)).toEqual(['table.yaml']);
});

test('remove leaves nothing and may be called twice', () => {
  const dir = new StateDir(parent);
  dir.write('a', '');
  dir.remove();
  dir.remove();
  expect(existsSync(dir.path)).toBe(false);
});
