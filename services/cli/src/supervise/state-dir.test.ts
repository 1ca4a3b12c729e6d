import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StateDir } from './state-dir.js';

let parent: string;
beforeEach(() => void (parent = mkdtempSync(join(tmpdir(), 'state-dir-test-'))));
afterEach(() => rmSync(parent, { recursive: true }));

test('is closed to others, whatever the umask', async () => {
  const before = process.umask(0);
  const dir = await StateDir.open(parent);
  const file = dir.write('table.yaml', 'a');
  process.umask(before);
  expect(statSync(dir.path).mode & 0o777).toBe(0o700);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a rewrite replaces the file and leaves nothing beside it', async () => {
  const dir = await StateDir.open(parent);
  const file = dir.write('table.yaml', 'old');
  const inode = statSync(file).ino;
  dir.write('table.yaml', 'new');
  expect(readFileSync(file, 'utf8')).toBe('new');
  // Another inode: a reader that has the old one open keeps it whole.
  expect(statSync(file).ino).not.toBe(inode);
  expect(readdirSync(dir.path)).toEqual(['alive', 'table.yaml']);
});

test('remove leaves nothing and may be called twice', async () => {
  const dir = await StateDir.open(parent);
  dir.write('a', '');
  dir.remove();
  dir.remove();
  expect(existsSync(dir.path)).toBe(false);
});

/** A directory as a run leaves it that was killed with SIGKILL. */
async function abandoned(): Promise<string> {
  const module = new URL('../../dist/supervise/state-dir.js', import.meta.url).href;
  const program = `import { StateDir } from ${JSON.stringify(module)};
    const dir = await StateDir.open(${JSON.stringify(parent)});
    dir.write('table.yaml', 'a');
    console.log(dir.path);
    setInterval(() => undefined, 60_000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [path] = (await once(child.stdout, 'data')) as [Buffer];
  child.kill('SIGKILL');
  await once(child, 'exit');
  return path.toString().trim();
}

test('what a run left that was killed is removed by the next one, and a living run keeps its own', async () => {
  const left = await abandoned();
  expect(existsSync(join(left, 'table.yaml'))).toBe(true);
  const first = await StateDir.open(parent);
  expect(existsSync(left)).toBe(false);
  const second = await StateDir.open(parent);
  expect(readdirSync(parent).map((name) => join(parent, name))).toEqual([first.path, second.path].toSorted());
  first.remove();
  second.remove();
  expect(readdirSync(parent)).toEqual([]);
}, 60_000);

test('nothing else is removed: no link, no directory without a claim, no other name', async () => {
  const left = await abandoned();
  const elsewhere = mkdtempSync(join(parent, 'elsewhere-'));
  renameSync(left, join(elsewhere, 'dir'));
  symlinkSync(join(elsewhere, 'dir'), join(parent, 'headrace-up-aLink0'));
  mkdirSync(join(parent, 'headrace-up-begins'));
  mkdirSync(join(parent, 'headrace-other'));
  (await StateDir.open(parent)).remove();
  expect(readdirSync(parent).toSorted()).toEqual(
    [basename(elsewhere), 'headrace-other', 'headrace-up-aLink0', 'headrace-up-begins'].toSorted(),
  );
  expect(readdirSync(join(elsewhere, 'dir'))).toEqual(['alive', 'table.yaml']);
}, 60_000);

test('a path that is too long for a socket is no reason not to start', async () => {
  const deep = join(parent, 'd'.repeat(120));
  mkdirSync(deep);
  const dir = await StateDir.open(deep);
  dir.write('table.yaml', 'a');
  expect(readdirSync(dir.path)).toEqual(['table.yaml']);
  dir.remove();
  expect(readdirSync(deep)).toEqual([]);
});
