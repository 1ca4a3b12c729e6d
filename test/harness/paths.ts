import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The clone's root: found upwards, because this file runs from test/harness as well as from test/dist. */
function findRoot(from: string): string {
  for (let folder = from; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package-lock.json')) && existsSync(join(folder, 'test'))) return folder;
  }
  throw new Error(`no package-lock.json above ${from}`);
}

const root = findRoot(dirname(fileURLToPath(import.meta.url)));

export const paths = {
  root,
  /** Pins of the Python environments. */
  requirements: join(root, 'test/harness/requirements'),
  /** Python programs that the tests run. */
  clients: join(root, 'test/clients'),
  /** Small ONNX models in a model repository's layout. */
  models: join(root, 'test/models'),
  gatewayMain: join(root, 'gateway/dist/main.js'),
  inferenceMain: join(root, 'services/inference/dist/main.js'),
  cliMain: join(root, 'services/cli/dist/main.js'),
} as const;
