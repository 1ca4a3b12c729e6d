import { packageName } from '../imports.js';
import { codeFiles, packageAt } from '../repository.js';
import type { LockEntry, Repository, Rule } from '../repository.js';

interface Fence {
  readonly heavy: string;
  readonly why: string;
  /** Workspaces whose install must not contain it, directly or through others. */
  readonly unreachableFrom: readonly string[];
  /** Workspaces whose files may import it. */
  readonly importableBy: readonly string[];
}

const fences: readonly Fence[] = [
  {
    heavy: 'onnxruntime-node',
    why: '288 MB of native libraries',
    unreachableFrom: ['gateway', 'proto', 'services/runtime', 'services/wire', 'services/batching'],
    importableBy: ['services/inference', 'test'],
  },
  {
    heavy: '@kubernetes/client-node',
    why: 'a client of the whole Kubernetes API',
    unreachableFrom: ['gateway', 'services/inference'],
    importableBy: ['operator'],
  },
];

/** Walks the lock file's graph of installed packages, as npm resolves them. */
export const heavyDependenciesUnreachable: Rule = (repository) =>
  fences.flatMap(({ heavy, why, unreachableFrom }) =>
    unreachableFrom.flatMap((folder) => {
      const way = wayTo(repository.lock, folder, heavy);
      return way === undefined
        ? []
        : [{ path: `${folder}/package.json`, message: `reaches ${heavy} (${why}) through ${way.join(' -> ')}` }];
    }),
  );

export const heavyImports: Rule = (repository) =>
  codeFiles(repository).flatMap((file) => {
    const owner = packageAt(repository, file.path)?.folder ?? '';
    return fences.flatMap(({ heavy, importableBy }) =>
      file.imports
        .filter(({ specifier }) => packageName(specifier) === heavy && !importableBy.includes(owner))
        .map(({ line }) => ({ path: file.path, line, message: `${heavy} may be imported in ${importableBy.join(' and ')} alone` })),
    );
  });

/** The shortest chain of packages from a workspace to `wanted`; undefined: none. Optional and peer dependencies are installed too. */
function wayTo(lock: Repository['lock'], folder: string, wanted: string): readonly string[] | undefined {
  const start = { key: folder, way: [folder] as readonly string[] };
  const queue = [start];
  const seen = new Set([folder]);
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    for (const name of dependenciesOf(lock[at.key])) {
      const way = [...at.way, name];
      if (name === wanted) return way;
      const key = resolveKey(lock, at.key, name);
      if (key === undefined || seen.has(key)) continue;
      seen.add(key);
      queue.push({ key, way });
    }
  }
  return undefined;
}

function dependenciesOf(entry: LockEntry | undefined): readonly string[] {
  return Object.keys({ ...entry?.dependencies, ...entry?.optionalDependencies, ...entry?.peerDependencies });
}

/** Node's lookup: the nearest node_modules upwards; a workspace's link leads to its folder. */
function resolveKey(lock: Repository['lock'], from: string, name: string): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(at.lastIndexOf('/'), 0))) {
    const key = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    const entry = lock[key];
    if (entry !== undefined) return entry.link === true ? entry.resolved : key;
    if (at === '') return undefined;
  }
}
