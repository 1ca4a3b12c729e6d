import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A port that was free a moment ago, for programs that cannot be told to pick one; what can takes port 0 instead. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

export interface TempDir {
  readonly path: string;
  remove(): Promise<void>;
}

/** A new folder under the system's temporary one. */
export async function tempDir(label: string): Promise<TempDir> {
  const path = await mkdtemp(join(await realpath(tmpdir()), `headrace-${label}-`));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
