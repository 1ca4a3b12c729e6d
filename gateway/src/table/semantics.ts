import type { RoutingTable } from '../gen/routing-table.js';
import { addressProblem } from './address.js';
import { checkTraffic } from './check-traffic.js';
import { resolvePriority } from './resolve.js';
import { checkUnique } from './report.js';
import type { Report } from './report.js';

type Settings = NonNullable<RoutingTable['defaults']>;

/** What a schema cannot say: names that must be unique or must exist, numbers that must agree. All problems at once. */
export function checkSemantics(table: RoutingTable, report: Report): void {
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
  checkFallbacks(table.models ?? [], report);
  if (table.trafficPolicy !== undefined) checkTraffic(table.trafficPolicy, 'trafficPolicy', report);
}

type Model = NonNullable<RoutingTable['models']>[number];

/** A fallback is a model of this table, and following fallbacks comes to an end. */
function checkFallbacks(models: readonly Model[], report: Report): void {
  const next = new Map(models.map(({ name, fallback }) => [name, fallback]));
  models.forEach(({ name, fallback }, i) => {
    if (fallback === undefined) return;
    const path = `models[${i}].fallback`;
    if (!next.has(fallback)) return report(path, `expected the name of a model of this table, got ${JSON.stringify(fallback)}`);
    const way = [name];
    for (let at: string | undefined = fallback; at !== undefined && way.length <= models.length; at = next.get(at)) {
      way.push(at);
      if (at === name) return report(path, `goes round in a circle: ${way.join(' -> ')}`);
    }
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
