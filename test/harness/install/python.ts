import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun, runCommand } from '../command.js';
import { paths } from '../paths.js';
import { installed } from './cache.js';

/** An interpreter that the pinned wheels exist for. */
interface Interpreter {
  readonly command: string;
  /** "3.11.7" */
  readonly version: string;
}

export type Found<T> = { readonly found: T } | { readonly missing: string };

/** numpy 2.4 asks for 3.11; wheels of all pins exist up to 3.13. */
const candidates = ['python3', 'python3.11', 'python3.12', 'python3.13'];
const newestMinor = 13;
const oldestMinor = 11;

const isolation = { PIP_REQUIRE_VIRTUALENV: undefined, PYTHONPATH: undefined, PYTHONHOME: undefined };
const quiet = [
  '--quiet',
  '--no-cache-dir',
  '--no-input',
  '--disable-pip-version-check',
  '--no-warn-script-location',
  '--root-user-action=ignore',
];

export async function findPython(): Promise<Found<Interpreter>> {
  for (const command of candidates) {
    const probe = await runCommand(command, ['-c', 'import ensurepip, platform; print(platform.python_version())']).catch(() => undefined);
    const version = probe?.code === 0 ? probe.stdout.trim() : '';
    const minor = Number(/^3\.(\d+)\./.exec(version)?.[1]);
    if (minor >= oldestMinor && minor <= newestMinor) return { found: { command, version } };
  }
  return { missing: `needs: Python 3.${oldestMinor} to 3.${newestMinor} with venv (Debian: apt-get install python3-venv)` };
}

/**
 * The interpreter of a virtual environment with the pins of requirements/NAME.txt.
 * Programs in its bin/ must be run as modules (python -m): their first lines name the folder it was built in.
 */
export async function virtualEnvironment(name: string, python: Interpreter, say?: (line: string) => void): Promise<string> {
  const folder = await installed(
    {
      name,
      pins: [python.version, python.command, readRequirements(name)],
      intact: (target) => existsSync(interpreterIn(target)),
      build: async (target) => {
        await mustRun(python.command, ['-m', 'venv', target], { env: isolation });
        const file = join(paths.requirements, `${name}.txt`);
        await mustRun(interpreterIn(target), ['-m', 'pip', 'install', ...quiet, '--requirement', file], { env: isolation });
      },
    },
    undefined,
    say,
  );
  return interpreterIn(folder);
}

/** A folder with the unpacked wheels of requirements/NAME.txt and none of their dependencies, for the programs inside them. */
export function unpackedWheels(name: string, python: Interpreter, say?: (line: string) => void): Promise<string> {
  return installed(
    {
      name,
      pins: [readRequirements(name)],
      build: async (target) => {
        const file = join(paths.requirements, `${name}.txt`);
        // ensurepip's pip in a throw-away environment: Debian refuses, rightly, to let its own pip install anything.
        const pipHome = join(target, '.pip');
        await mustRun(python.command, ['-m', 'venv', pipHome], { env: isolation });
        const args = ['-m', 'pip', 'install', ...quiet, '--no-deps', '--only-binary', ':all:', '--target', join(target, 'wheels')];
        await mustRun(interpreterIn(pipHome), [...args, '--requirement', file], { env: isolation });
        await mustRun('rm', ['-rf', pipHome]);
      },
    },
    undefined,
    say,
  );
}

function interpreterIn(folder: string): string {
  return join(folder, 'bin', 'python');
}

function readRequirements(name: string): string {
  return readFileSync(join(paths.requirements, `${name}.txt`), 'utf8');
}
