import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun, runCommand } from '../command.js';
import { installed } from './cache.js';
import type { Found } from './python.js';

export async function findGo(): Promise<Found<string>> {
  const probe = await runCommand('go', ['version']).catch(() => undefined);
  return probe?.code === 0 ? { found: probe.stdout.trim() } : { missing: 'needs: go (https://go.dev/doc/install)' };
}

/** The program of a Go module, e.g. "example.com/tool/cmd/tool@v1.2.3" gives .../bin/tool. */
export async function goProgram(name: string, module: string, say?: (line: string) => void): Promise<string> {
  return join(await goPrograms(name, [module], say), programName(module));
}

/** The folder with the programs of one Go module at one version, compiled together. Modules and build cache are thrown away. */
export async function goPrograms(name: string, modules: readonly string[], say?: (line: string) => void): Promise<string> {
  const folder = await installed(
    {
      name,
      pins: modules,
      build: async (target) => {
        const scratch = join(target, '.go');
        await mkdir(scratch);
        const settings = (await mustRun('go', ['env', 'GOENV'])).trim();
        await mustRun('go', ['install', '-trimpath', '-ldflags=-s -w', ...modules], {
          cwd: scratch,
          env: {
            GOBIN: join(target, 'bin'),
            GOPATH: scratch,
            GOMODCACHE: join(scratch, 'mod'),
            GOCACHE: join(scratch, 'build'),
            // The module cache is read-only otherwise, and could not be removed.
            GOFLAGS: `${process.env['GOFLAGS'] ?? ''} -modcacherw`.trim(),
            // go writes its telemetry counters under XDG_CONFIG_HOME; the user's own settings still count.
            XDG_CONFIG_HOME: join(scratch, 'config'),
            GOENV: settings,
          },
        });
        await rm(scratch, { recursive: true, force: true });
      },
    },
    undefined,
    say,
  );
  return join(folder, 'bin');
}

/** go install names a program after the last part of its path. */
function programName(module: string): string {
  return /([^/@]+)@/.exec(module)?.[1] ?? module;
}
