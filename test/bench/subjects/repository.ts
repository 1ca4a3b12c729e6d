import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '../../harness/places.js';
import type { TempDir } from '../../harness/places.js';
import { maxBatchRows } from '../workload/models.js';

export interface RepositoryEntry {
  readonly name: string;
  /** Of the ONNX file, which is linked to, not copied. */
  readonly file: string;
  /** Core of its only instance; absent: what the server does by itself. */
  readonly core?: number;
}

/** A model repository of links. */
export async function writeRepository(entries: readonly RepositoryEntry[]): Promise<TempDir> {
  const folder = await tempDir('bench-models');
  for (const { name, file, core } of entries) {
    await mkdir(join(folder.path, name, '1'), { recursive: true });
    await symlink(file, join(folder.path, name, '1', 'model.onnx'));
    const instances = core === undefined ? '' : `instances: { count: 1, cores: [${core}] }\n`;
    await writeFile(join(folder.path, name, 'model.yaml'), `batching: { maxBatchSize: ${maxBatchRows} }\n${instances}`);
  }
  return folder;
}
