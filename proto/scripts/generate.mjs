// Writes src/gen from the .proto files. Its flags are loader-options.json, which the running code reads too, so that the
// types always describe the objects that the loader makes.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const outDir = join(root, 'src', 'gen');
const options = JSON.parse(readFileSync(join(root, 'loader-options.json'), 'utf8'));

const protoFiles = ['inference', 'grpc', 'google']
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((file) => join(folder, String(file))))
  .filter((file) => file.endsWith('.proto'))
  .sort();

const loader = dirname(createRequire(import.meta.url).resolve('@grpc/proto-loader/package.json'));
rmSync(outDir, { recursive: true, force: true });
execFileSync(
  process.execPath,
  [
    join(loader, 'build', 'bin', 'proto-loader-gen-types.js'),
    ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
    '--includeComments',
    '--importFileExtension=.js',
    '--includeDirs=.',
    `--outDir=${outDir}`,
    ...protoFiles,
  ],
  // Relative names, so that nothing of where the checkout lies reaches the output.
  { cwd: root, stdio: 'inherit' },
);
