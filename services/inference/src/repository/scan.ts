import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { settingsFiles } from '../config/read-settings.js';
import { versionNumber } from './versions.js';

/**
 * What lies in a model repository:
 *
 *     <repository>/<model>/model.yaml | config.pbtxt     (optional)
 *     <repository>/<model>/<version>/model.onnx          (and its external data files)
 */
export interface ModelFolder {
  readonly name: string;
  readonly path: string;
  /** Changes when a configuration file changes. */
  readonly settingsPrint: string;
  readonly versions: readonly VersionFolder[];
}

export interface VersionFolder {
  readonly version: number;
  readonly path: string;
  /** Names, sizes and times of the folder's files: changes when any of them is replaced. */
  readonly print: string;
  readonly bytes: number;
}

/** Bounds on what one scan looks at, so that a wrong path (say "/") cannot hold the server up. */
const maxModels = 20_000;
const maxFilesPerVersion = 10_000;

/** @throws the file system's error when the repository itself cannot be read. */
export async function scanRepository(repository: string): Promise<ModelFolder[]> {
  const entries = await readdir(repository, { withFileTypes: true });
  const names = entries
    .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.'))
    .map((entry) => entry.name);
  if (names.length > maxModels) throw new Error(`${repository} holds ${names.length} folders, expected at most ${maxModels} models`);
  const folders: ModelFolder[] = [];
  for (const name of names.toSorted(byName)) {
    const folder = await scanModel(name, join(repository, name));
    if (folder !== undefined) folders.push(folder);
  }
  return folders;
}

/** Undefined when it is no folder or holds neither a version nor a configuration. */
export async function scanModel(name: string, path: string): Promise<ModelFolder | undefined> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    const versions: VersionFolder[] = [];
    const prints: string[] = [];
    for (const entry of entries) {
      const version = versionNumber(entry.name);
      if (version !== undefined) versions.push({ version, path: join(path, entry.name), ...(await printOf(join(path, entry.name))) });
      else if ((settingsFiles as readonly string[]).includes(entry.name)) prints.push((await printFile(path, entry.name)).print);
    }
    if (versions.length === 0 && prints.length === 0) return undefined;
    return { name, path, settingsPrint: prints.toSorted(byName).join(';'), versions: versions.toSorted((a, b) => a.version - b.version) };
  } catch {
    // Removed while it was read, or a link that leads nowhere: not there.
    return undefined;
  }
}

async function printOf(folder: string): Promise<{ readonly print: string; readonly bytes: number }> {
  const names = (await readdir(folder).catch((): string[] => [])).toSorted(byName).slice(0, maxFilesPerVersion);
  const files = await Promise.all(names.map((name) => printFile(folder, name)));
  return { print: files.map((file) => file.print).join(';'), bytes: files.reduce((sum, file) => sum + file.bytes, 0) };
}

async function printFile(folder: string, name: string): Promise<{ readonly print: string; readonly bytes: number }> {
  try {
    const { size, mtimeMs, ino } = await stat(join(folder, name));
    return { print: `${name}:${size}:${mtimeMs}:${ino}`, bytes: size };
  } catch {
    return { print: `${name}:gone`, bytes: 0 };
  }
}

function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
