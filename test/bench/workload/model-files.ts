import { readFileSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun } from '../../harness/command.js';
import { installed } from '../../harness/install/cache.js';
import { findPython } from '../../harness/install/python.js';
import { paths } from '../../harness/paths.js';
import { benchModels } from './models.js';

/** ONNX files by model name, in ${XDG_CACHE_HOME:-~/.cache}/headrace; written on first use (40 s), the same bytes each time. */
export async function modelFiles(say: (line: string) => void): Promise<(model: string) => string> {
  const python = await findPython();
  if ('missing' in python) throw new Error(`the models cannot be written: ${python.missing}`);
  const scripts = join(paths.root, 'test/bench/models');
  const sources = readdirSync(scripts).filter((file) => /\.(py|txt)$/.test(file));
  const folder = await installed(
    {
      name: 'bench-models',
      pins: sources.toSorted().map((file) => readFileSync(join(scripts, file), 'utf8')),
      build: async (target) => {
        say('writing the models: a few seconds, and the install of onnx before it');
        const scratch = join(target, '.python');
        const interpreter = join(scratch, 'bin/python');
        const quiet = ['--quiet', '--no-cache-dir', '--no-input', '--disable-pip-version-check', '--root-user-action=ignore'];
        await mustRun(python.found.command, ['-m', 'venv', scratch], { env: { PYTHONPATH: undefined, PYTHONHOME: undefined } });
        await mustRun(interpreter, ['-m', 'pip', 'install', ...quiet, '--requirement', join(scripts, 'requirements.txt')], {
          env: { PIP_REQUIRE_VIRTUALENV: undefined },
        });
        const names = Object.keys(benchModels);
        await mustRun(interpreter, [join(scripts, 'make_models.py'), target, '--models', ...names], {
          env: { PYTHONDONTWRITEBYTECODE: '1' },
        });
        await rm(scratch, { recursive: true, force: true });
      },
    },
    undefined,
    say,
  );
  return (model) => join(folder, model, '1', 'model.onnx');
}
