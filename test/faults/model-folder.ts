import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { paths, tempDir } from '../harness/index.js';
import type { TempDir } from '../harness/index.js';

/** A model repository with copies of some models of test/models: few models start fast, and copies may be changed. */
export async function modelFolder(...names: readonly string[]): Promise<TempDir> {
  const folder = await tempDir('models');
  for (const name of names) await cp(join(paths.models, name), join(folder.path, name), { recursive: true });
  return folder;
}
