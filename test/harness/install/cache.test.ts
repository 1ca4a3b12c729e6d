import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tempDir } from '../places.js';
import type { TempDir } from '../places.js';
import { cacheRoot, installed } from './cache.js';
import type { Recipe } from './cache.js';
import { withLock } from './lock.js';

describe('the cache of installed tools', () => {
  let root: TempDir;
  beforeEach(async () => {
    root = await tempDir('cache');
  });
  afterEach(() => root.remove());

  const writing = (counter: { builds: number }, more: Partial<Recipe> = {}): Recipe => ({
    name: 'tool',
    pins: ['1.0'],
    build: async (folder) => {
      counter.builds++;
      await sleep(20);
      writeFileSync(join(folder, 'program'), 'works');
    },
    ...more,
  });

  test('builds once for many askers at the same time, and never again', async () => {
    const counter = { builds: 0 };
    const folders = await Promise.all(Array.from({ length: 5 }, () => installed(writing(counter), root.path)));
    expect(new Set(folders).size).toBe(1);
    expect(await installed(writing(counter), root.path)).toBe(folders[0]);
    expect(counter.builds).toBe(1);
    expect(readFileSync(join(folders[0] ?? '', 'program'), 'utf8')).toBe('works');
  });

  test('gives other pins another folder', async () => {
    const counter = { builds: 0 };
    const first = await installed(writing(counter), root.path);
    const second = await installed(writing(counter, { pins: ['1.1'] }), root.path);
    expect(second).not.toBe(first);
    expect(counter.builds).toBe(2);
  });

  test('leaves nothing of a failed build and says why it failed', async () => {
    const failing: Recipe = { name: 'tool', pins: [], build: () => Promise.reject(new Error('no such version')) };
    const failure: unknown = await installed(failing, root.path).catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: 'cannot install tool', cause: { message: 'no such version' } });
    expect(readdirSync(root.path)).toEqual([]);
  });

  test('removes what a killed install left and takes its stale lock', async () => {
    const counter = { builds: 0 };
    const folder = await installed(writing(counter), root.path);
    const half = `${folder}.tmp-dead`;
    mkdirSync(half);
    writeFileSync(join(folder, 'broken'), '');
    writeFileSync(`${folder}.lock`, '1\n');
    const longAgo = new Date(Date.now() - 60_000);
    utimesSync(`${folder}.lock`, longAgo, longAgo);
    await installed(writing(counter, { intact: (target) => !existsSync(join(target, 'broken')) }), root.path);
    expect(counter.builds).toBe(2);
    expect(readdirSync(root.path)).toEqual([folder.slice(root.path.length + 1)]);
  });

  test('waits for a lock whose holder lives', async () => {
    const file = join(root.path, 'held');
    const order: string[] = [];
    let second: Promise<unknown> | undefined;
    await withLock(file, async () => {
      order.push('first begins');
      const waits = new Promise<void>((resolve) => {
        second = withLock(
          file,
          () => Promise.resolve(order.push('second')),
          () => {
            order.push('second waits');
            resolve();
          },
        );
      });
      await waits;
      order.push('first ends');
    });
    await second;
    expect(order).toEqual(['first begins', 'second waits', 'first ends', 'second']);
  });

  test('a process killed while it installs leaves no folder that looks whole', async () => {
    const script = `import { mkdtempSync, writeFileSync } from 'node:fs'; const f = mkdtempSync(process.argv[1]); writeFileSync(f + '/half', ''); console.log(f); setInterval(() => undefined, 1000);`;
    const counter = { builds: 0 };
    const target = await installed(writing(counter, { name: 'other' }), root.path);
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, `${target}.tmp-`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await ended;
    expect(readdirSync(root.path).filter((name) => name.includes('.tmp-'))).toHaveLength(1);
    await installed(writing(counter, { name: 'other', intact: () => counter.builds > 1 }), root.path);
    expect(readdirSync(root.path)).toEqual([target.slice(root.path.length + 1)]);
  });

  test.each([
    ['XDG_CACHE_HOME when it is absolute', { XDG_CACHE_HOME: '/somewhere' }, /^\/somewhere\/headrace$/],
    ['the home folder when it is relative', { XDG_CACHE_HOME: 'somewhere' }, /\/\.cache\/headrace$/],
    ['the home folder when it is unset', {}, /\/\.cache\/headrace$/],
  ])('lies under %s', (_sentence, environment, expected) => {
    expect(cacheRoot(environment)).toMatch(expected);
  });
});
