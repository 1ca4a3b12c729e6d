import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { withLock } from './lock.js';

const oneDayMs = 86_400_000;

/** What is to be installed, and how. */
export interface Recipe {
  readonly name: string;
  /** All that decides the outcome (versions, interpreter): another pin means another folder. */
  readonly pins: readonly string[];
  /** Fills `folder`, which is renamed when this resolves: nothing in it may hold its own absolute path. */
  readonly build: (folder: string) => Promise<void>;
  /** Says whether an installed folder still works, e.g. after the interpreter it points to was removed. Default: it does. */
  readonly intact?: (folder: string) => boolean;
}

/** ${XDG_CACHE_HOME:-~/.cache}/headrace: shared by all clones, safe to delete whenever no test runs. */
export function cacheRoot(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment['XDG_CACHE_HOME'];
  // The XDG specification says to ignore relative paths.
  return join(base?.startsWith('/') === true ? base : join(homedir(), '.cache'), 'headrace');
}

/**
 * The folder of an installed recipe; builds it first where it is missing.
 *
 *     <root>/grpcurl-1f0c3a9b22d4/          whole, or not there at all
 *     <root>/grpcurl-1f0c3a9b22d4.lock      held while building
 *     <root>/grpcurl-1f0c3a9b22d4.tmp-x8f2/ being built; leftovers of killed installs are removed by the next one
 */
export async function installed(
  recipe: Recipe,
  root: string = cacheRoot(),
  say: (line: string) => void = () => undefined,
): Promise<string> {
  const folder = join(root, `${recipe.name}-${pinKey(recipe.pins)}`);
  const works = (): boolean => existsSync(folder) && (recipe.intact?.(folder) ?? true);
  if (works()) return folder;
  await mkdir(root, { recursive: true });
  return withLock(
    `${folder}.lock`,
    async () => {
      if (works()) return folder;
      await removeLeftovers(folder);
      const building = await mkdtemp(`${folder}.tmp-`);
      try {
        await recipe.build(building);
        await rename(building, folder);
      } catch (error) {
        await rm(building, { recursive: true, force: true });
        // Whoever took over our lock while this process was stopped may have finished first.
        if (!works()) throw new Error(`cannot install ${recipe.name}`, { cause: error });
      }
      return folder;
    },
    () => say(`${recipe.name}: waiting for another process that is installing it`),
  );
}

function pinKey(pins: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([process.platform, process.arch, ...pins]))
    .digest('hex')
    .slice(0, 12);
}

/**
 * A broken install and what killed ones left, of other recipes too when it is a day old; only while the lock is held.
 *
 * A killed install may live on in its child (pip, go), which still writes: such a folder cannot be emptied now and is left to a later
 * install, as nobody but its dead owner would have used it.
 */
async function removeLeftovers(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const root = dirname(folder);
  const own = `${basename(folder)}.tmp-`;
  for (const entry of await readdir(root)) {
    const path = join(root, entry);
    if (entry.startsWith(own) || (entry.includes('.tmp-') && (await isOld(path)))) {
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
    }
  }
}

async function isOld(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > oneDayMs;
}
