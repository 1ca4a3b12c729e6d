import type { RefusalReason } from '@headrace/runtime';
import { fairShares, jainIndex } from './fairness.js';
import type { BackendSummary } from './fleet.js';
import { others } from './tally.js';
import type { Tally } from './tally.js';
import type { SeriesPoint } from './time-series.js';

/** Counts are of requests; a client's second attempt is not a second request. */
export interface GroupReport {
  readonly name: string;
  readonly offered: number;
  readonly answered: number;
  readonly inTime: number;
  readonly refused: number;
  /** 0..100: in time of those offered. */
  readonly attainmentPercent: number;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

export interface BackendReport {
  readonly name: string;
  readonly runs: number;
  readonly rows: number;
  /** 0..100 of its instances' time. */
  readonly utilisationPercent: number;
  readonly meanBatchRows: number;
}

export interface SimulationReport {
  /** From the start of the trace to its end or the last answer, whichever is later. */
  readonly elapsedMs: number;
  /** False: it was stopped before the end of the trace. */
  readonly complete: boolean;
  readonly total: GroupReport;
  readonly offeredPerSecond: number;
  readonly throughputPerSecond: number;
  /** Answers in time. */
  readonly goodputPerSecond: number;
  readonly meanMs: number | undefined;
  readonly maxMs: number;
  /** What the backends can run at best. */
  readonly capacityRowsPerSecond: number;
  readonly offeredRowsPerSecond: number;
  /** 1 is fair; undefined where fewer than two tenants ask. Tenants beyond the bound are left out. */
  readonly jain: number | undefined;
  readonly refusedByReason: Readonly<Partial<Record<RefusalReason, number>>>;
  /** Of what a policy in shadow mode let through: why it would have been refused. */
  readonly shadowedByReason: Readonly<Record<string, number>>;
  readonly retries: RetryReport;
  readonly byTier: readonly GroupReport[];
  readonly byPriority: readonly GroupReport[];
  readonly byModel: readonly GroupReport[];
  /** The busiest; the rest are summed as "(others)". */
  readonly byTenant: readonly GroupReport[];
  readonly tenants: number;
  readonly backends: readonly BackendReport[];
  /** Runs by rows, at powers of two: 4 counts those of 3 and 4. */
  readonly runsByRows: readonly { readonly upToRows: number; readonly runs: number }[];
  readonly series: readonly SeriesPoint[];
}

export interface RetryReport {
  /** Refusals that said when to come again. */
  readonly toldToWait: number;
  readonly sent: number;
  /** Those that were not told again that there is no room. */
  readonly gotIn: number;
}

export interface Counted {
  readonly elapsedMs: number;
  readonly complete: boolean;
  readonly total: Tally;
  readonly byTier: readonly (readonly [string, Tally])[];
  readonly byPriority: readonly (readonly [string, Tally])[];
  readonly byModel: readonly (readonly [string, Tally])[];
  readonly byTenant: readonly (readonly [string, Tally])[];
  readonly shadowed: ReadonlyMap<string, number>;
  readonly retries: RetryReport;
  readonly backends: readonly BackendSummary[];
  readonly capacityRowsPerSecond: number;
  readonly series: readonly SeriesPoint[];
}

const maxTenantsShown = 20;

/** Pure: counts to figures. */
export function reportOf(counted: Counted): SimulationReport {
  const { total, elapsedMs } = counted;
  const perSecond = (count: number): number => (elapsedMs > 0 ? (count * 1000) / elapsedMs : 0);
  return {
    elapsedMs,
    complete: counted.complete,
    total: groupOf('', total),
    offeredPerSecond: perSecond(total.offered),
    throughputPerSecond: perSecond(total.answered),
    goodputPerSecond: perSecond(total.inTime),
    meanMs: total.latency.meanMs,
    maxMs: total.latency.maxMs,
    capacityRowsPerSecond: counted.capacityRowsPerSecond,
    offeredRowsPerSecond: perSecond(total.offeredRows),
    jain: fairnessOf(counted),
    refusedByReason: Object.fromEntries([...total.refused].sort(([, left], [, right]) => right - left)),
    shadowedByReason: Object.fromEntries([...counted.shadowed].sort(([, left], [, right]) => right - left)),
    retries: counted.retries,
    byTier: named(counted.byTier),
    byPriority: [...named(counted.byPriority)].sort((left, right) => Number(left.name) - Number(right.name)),
    byModel: named(counted.byModel),
    byTenant: busiest(counted.byTenant),
    tenants: counted.byTenant.length,
    backends: counted.backends.map((backend) => backendOf(backend, elapsedMs)),
    runsByRows: runsByRows(counted.backends),
    series: counted.series,
  };
}

function groupOf(name: string, tally: Tally): GroupReport {
  return {
    name,
    offered: tally.offered,
    answered: tally.answered,
    inTime: tally.inTime,
    refused: tally.refusals,
    attainmentPercent: percent(tally.inTime, tally.offered),
    p50Ms: tally.latency.percentile(50),
    p99Ms: tally.latency.percentile(99),
  };
}

function named(tallies: readonly (readonly [string, Tally])[]): readonly GroupReport[] {
  return tallies.map(([name, tally]) => groupOf(name, tally)).sort((left, right) => compare(left.name, right.name));
}

function busiest(tallies: readonly (readonly [string, Tally])[]): readonly GroupReport[] {
  const groups = tallies.map(([name, tally]) => groupOf(name, tally));
  const byLoad = groups.sort((left, right) => right.offered - left.offered || compare(left.name, right.name));
  if (byLoad.length <= maxTenantsShown) return byLoad;
  const shown = byLoad.filter(({ name }) => name !== others).slice(0, maxTenantsShown);
  const rest = byLoad.filter((group) => !shown.includes(group));
  const sum = (of: (group: GroupReport) => number): number => rest.reduce((all, group) => all + of(group), 0);
  const [offered, inTime] = [sum((group) => group.offered), sum((group) => group.inTime)];
  const worst = (of: (group: GroupReport) => number | undefined): number => Math.max(...rest.map((group) => of(group) ?? 0));
  const together: GroupReport = {
    name: others,
    offered,
    answered: sum((group) => group.answered),
    inTime,
    refused: sum((group) => group.refused),
    attainmentPercent: percent(inTime, offered),
    // Of the worst among them: percentiles do not add up.
    p50Ms: worst((group) => group.p50Ms),
    p99Ms: worst((group) => group.p99Ms),
  };
  return [...shown, together];
}

/** Rows that each tenant got against the weighted max-min fair division of all that were answered. */
function fairnessOf({ byTenant }: Counted): number | undefined {
  const tenants = byTenant.filter(([name, { offeredRows }]) => name !== others && offeredRows > 0);
  if (tenants.length < 2) return undefined;
  const got = tenants.map(([, { answeredRows }]) => answeredRows);
  const total = got.reduce((sum, rows) => sum + rows, 0);
  const claims = tenants.map(([, { offeredRows, weight }]) => ({ demand: offeredRows, weight }));
  return jainIndex(got, fairShares(total, claims));
}

function backendOf(backend: BackendSummary, elapsedMs: number): BackendReport {
  const { name, runs, rows, busyMs, instances } = backend;
  return {
    name,
    runs,
    rows,
    utilisationPercent: Math.min(100, percent(busyMs, instances * elapsedMs)),
    meanBatchRows: runs === 0 ? 0 : rows / runs,
  };
}

function runsByRows(backends: readonly BackendSummary[]): SimulationReport['runsByRows'] {
  const sums = new Map<number, number>();
  for (const { byRows } of backends) for (const [rows, runs] of byRows) sums.set(rows, (sums.get(rows) ?? 0) + runs);
  return [...sums].sort(([left], [right]) => left - right).map(([upToRows, runs]) => ({ upToRows, runs }));
}

function percent(part: number, whole: number): number {
  return whole > 0 ? (100 * part) / whole : 0;
}

/** Not by locale: a report is the same on every machine. */
function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
