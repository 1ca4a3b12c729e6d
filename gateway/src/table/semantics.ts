import type { RoutingTable } from '../gen/routing-table.js';
import { resolvePriority } from './resolve.js';

/** One thing wrong with a table, where in it, and what was expected. */
export interface TableProblem {
  /** Like `models[2].batching.maxBatchRows`; empty for the whole document. */
  readonly path: string;
  readonly message: string;
}

type Settings = NonNullable<RoutingTable['defaults']>;

/** What a schema cannot say: names that must be unique or must exist, numbers that must agree. All problems at once. */
export function checkSemantics(table: RoutingTable): readonly TableProblem[] {
  const problems: TableProblem[] = [];
  const report = (path: string, message: string): void => void problems.push({ path, message });

  checkUnique(
    table.backends.map(({ name }) => name),
    'backends',
    report,
  );
  checkUnique(
    (table.models ?? []).map(({ name }) => name),
    'models',
    report,
  );

  table.backends.forEach((backend, i) => {
    const wrong = addressProblem(backend.address);
    if (wrong !== undefined) report(`backends[${i}].address`, wrong);
    const { certificateFile, keyFile } = backend.tls ?? {};
    if ((certificateFile === undefined) !== (keyFile === undefined)) {
      const missing = keyFile === undefined ? 'keyFile' : 'certificateFile';
      report(`backends[${i}].tls.${missing}`, 'certificateFile and keyFile belong together; one of them is missing');
    }
  });

  const known = new Set(table.backends.map(({ name }) => name));
  checkSettings(table.defaults ?? {}, {}, 'defaults', report);
  (table.models ?? []).forEach((model, i) => {
    (model.backends ?? []).forEach((name, j) => {
      if (known.has(name)) return;
      report(
        `models[${i}].backends[${j}]`,
        `no backend is called ${JSON.stringify(name)}; the table has ${[...known].slice(0, 10).join(', ')}`,
      );
    });
    checkUnique(model.backends ?? [], `models[${i}].backends`, report, '');
    checkSettings(model, table.defaults ?? {}, `models[${i}]`, report);
  });
  return problems;
}

type Report = (path: string, message: string) => void;

function checkUnique(names: readonly string[], path: string, report: Report, field = '.name'): void {
  const first = new Map<string, number>();
  names.forEach((name, i) => {
    const before = first.get(name);
    if (before === undefined) first.set(name, i);
    else report(`${path}[${i}]${field}`, `${JSON.stringify(name)} is already the name of ${path}[${before}]`);
  });
}

function checkSettings(own: Settings, defaults: Settings, path: string, report: Report): void {
  if (own.priority === undefined) return;
  const { bands, defaultBand, bypassBand, map } = resolvePriority({ ...defaults.priority, ...own.priority });
  if (defaultBand > bands) report(`${path}.priority.default`, `expected a band from 1 to ${bands} (priority.bands), got ${defaultBand}`);
  if (bypassBand > bands) report(`${path}.priority.bypass`, `expected 0 to ${bands} (priority.bands), got ${bypassBand}`);
  (own.priority.map ?? []).forEach(({ band }, i) => {
    if (band > bands) report(`${path}.priority.map[${i}].band`, `expected a band from 1 to ${bands} (priority.bands), got ${band}`);
  });
  if (own.priority.map !== undefined && map.size < own.priority.map.length)
    report(`${path}.priority.map`, 'the same priority is mapped twice');
}

/** "host:port", "[ipv6]:port" or "dns:///host:port". */
export function addressProblem(address: string): string | undefined {
  const expected = `expected "host:port", "[ipv6]:port" or "dns:///host:port", got ${JSON.stringify(address)}`;
  const bare = address.startsWith('dns:///') ? address.slice('dns:///'.length) : address;
  const match = /^(\[[0-9a-fA-F:.%]+\]|[^\s:/[\]]+):(\d{1,5})$/.exec(bare);
  if (match === null) return expected;
  const port = Number(match[2]);
  return port >= 1 && port <= 65_535 ? undefined : `${expected}: a port is 1 to 65535`;
}
