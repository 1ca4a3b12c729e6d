import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun, runCommand } from '../command.js';
import { installed } from './cache.js';
import type { Found } from './python.js';

/** Part of every Debian system that can run Node; a second copy of them on LD_LIBRARY_PATH would break the loader. */
const everywhere = /^(libc6|libgcc-s1|libstdc\+\+6|gcc-[\d]+-base|libc-bin|libcrypt1)$/;

/** The release, e.g. "12 bookworm", as packages of one do not fit another. */
export async function findDebian(): Promise<Found<string>> {
  const tools = await runCommand('sh', ['-c', 'command -v apt-get && command -v dpkg-deb']).catch(() => undefined);
  if (tools?.code !== 0) return { missing: 'needs: apt-get and dpkg-deb (Debian or Ubuntu)' };
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const field = (key: string): string => new RegExp(`^${key}="?([^"\n]*)`, 'm').exec(release)?.[1] ?? '';
  return { found: `${field('ID')} ${field('VERSION_ID')} ${field('VERSION_CODENAME')}` };
}

/**
 * Unpacks Debian packages and their libraries into the cache. Nothing is installed: no root is needed and nothing outside the cache
 * is written, not even apt's own lists, of which a private copy is fetched (25 MB, thrown away).
 */
export function debianPackages(name: string, packages: readonly string[], release: string, say?: (line: string) => void): Promise<string> {
  return installed(
    {
      name,
      pins: [release, ...packages],
      build: async (target) => {
        const scratch = join(target, '.apt');
        await mkdir(join(scratch, 'lists', 'partial'), { recursive: true });
        await mkdir(join(scratch, 'cache', 'archives', 'partial'), { recursive: true });
        const own = [
          '-o',
          `Dir::State::lists=${join(scratch, 'lists')}`,
          '-o',
          `Dir::Cache=${join(scratch, 'cache')}`,
          '-o',
          'APT::Sandbox::User=root',
        ];
        await mustRun('apt-get', ['update', '--quiet', ...own]);
        const wanted = await withDependencies(packages, own);
        await mustRun('apt-get', ['download', '--quiet', ...own, ...wanted], { cwd: scratch });
        for (const file of await readdir(scratch)) {
          if (file.endsWith('.deb')) await mustRun('dpkg-deb', ['--extract', join(scratch, file), target]);
        }
        await rm(scratch, { recursive: true, force: true });
      },
    },
    undefined,
    say,
  );
}

async function withDependencies(packages: readonly string[], own: readonly string[]): Promise<readonly string[]> {
  const only = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((kind) => `--no-${kind}`);
  const listed = await mustRun('apt-cache', ['depends', '--recurse', ...only, ...own, ...packages]);
  // Names stand at the start of a line, what they depend on is indented, virtual packages stand in <>.
  const names = listed.split('\n').filter((line) => /^[a-z0-9]/.test(line) && !everywhere.test(line));
  return [...new Set(names)];
}

/** Where Debian keeps libraries of this processor under an unpacked tree. */
export function libraryFolders(folder: string): readonly string[] {
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  return [join(folder, 'usr/lib', triplet), join(folder, 'lib', triplet)];
}
