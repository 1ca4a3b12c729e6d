import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { paths } from './paths.js';
import { tempDir } from './places.js';
import type { TempDir } from './places.js';

/** A model repository with copies of some models of test/models: few models start fast, and copies may be changed. */
export async function modelFolder(...names: readonly string[]): Promise<TempDir> {
  const folder = await tempDir('models');
  for (const name of names) await cp(join(paths.models, name), join(folder.path, name), { recursive: true });
  return folder;
}
