import type { SeriesPoint, SimulationReport } from '@headrace/gateway/simulation';

/** A row of the plot's data: a figure at a time, of one kind. */
export interface PlotRow {
  /** In the unit of the axis. */
  readonly time: number;
  readonly kind: string;
  /** Null: there is none then, and a line breaks. */
  readonly value: number | null;
  /** Place in the stack, from below. */
  readonly order: number;
}

export interface TimeUnit {
  readonly name: string;
  readonly ms: number;
}

export function timeUnitOf(elapsedMs: number): TimeUnit {
  if (elapsedMs <= 300_000) return { name: 'seconds', ms: 1000 };
  return elapsedMs <= 7_200_000 ? { name: 'minutes', ms: 60_000 } : { name: 'hours', ms: 3_600_000 };
}

export const inTime = 'answered in time';
export const late = 'answered late';

/** What is stacked, from below: in time, late, then the refusals. "Late" only where some are. */
export function stackOf(reports: readonly SimulationReport[]): readonly string[] {
  const reasons = [...new Set(reports.flatMap(({ refusedByReason }) => Object.keys(refusedByReason)))];
  const lateness = reports.some(({ total }) => total.answered > total.inTime) ? [late] : [];
  return [inTime, ...lateness, ...reasons];
}

/** A last point much shorter than the others says little as a rate. */
function whole(points: readonly SeriesPoint[]): readonly SeriesPoint[] {
  const [first] = points;
  return first === undefined ? [] : points.filter(({ lengthMs }, index) => index === 0 || lengthMs >= first.lengthMs / 2);
}

function middle(point: SeriesPoint, unit: TimeUnit): number {
  return (point.fromMs + point.lengthMs / 2) / unit.ms;
}

/** Requests per second by what became of them, when it became so. */
export function outcomeRows({ series }: SimulationReport, stack: readonly string[], unit: TimeUnit): readonly PlotRow[] {
  return whole(series).flatMap((point) => {
    const refused = new Map<string, number>(Object.entries(point.refused));
    const count = (kind: string): number =>
      kind === inTime ? point.inTime : kind === late ? point.answered - point.inTime : (refused.get(kind) ?? 0);
    return stack.map((kind, order) => ({ time: middle(point, unit), kind, value: (count(kind) * 1000) / point.lengthMs, order }));
  });
}

export const offered = 'offered';

export function offeredRows({ series }: SimulationReport, unit: TimeUnit): readonly PlotRow[] {
  return whole(series).map((point) => ({
    time: middle(point, unit),
    kind: offered,
    value: (point.offered * 1000) / point.lengthMs,
    order: 0,
  }));
}

export const percentileKinds = ['p99', 'p50'] as const;

export function latencyRows({ series }: SimulationReport, unit: TimeUnit): readonly PlotRow[] {
  return whole(series).flatMap((point) =>
    percentileKinds.map((kind) => ({
      time: middle(point, unit),
      kind,
      value: (kind === 'p50' ? point.p50Ms : point.p99Ms) ?? null,
      order: 0,
    })),
  );
}

export const queued = 'rows waiting';

export function queueRows({ series }: SimulationReport, unit: TimeUnit): readonly PlotRow[] {
  return whole(series).map((point) => ({ time: middle(point, unit), kind: queued, value: point.queuedRows, order: 0 }));
}
