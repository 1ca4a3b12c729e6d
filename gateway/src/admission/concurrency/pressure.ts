/** How the machine is doing; what cannot be told is NaN. */
export interface SystemSample {
  /** 99th percentile of the event loop's delay over the last second or so. */
  readonly loopDelayP99Ms: number;
  /** CPU time by wall time and cores available, 0..1. */
  readonly cpuShare: number;
  /** Of the limit of heap or resident memory, whichever is nearer, 0..1. */
  readonly memoryShare: number;
  /** Requests that wait at back ends behind those we sent, by what they hold at once: 1 = as many again. */
  readonly backendQueue: number;
}

/** Where each begins to press and where it is all that there is. */
const ramps = {
  loopDelayP99Ms: [30, 250],
  cpuShare: [0.9, 1],
  memoryShare: [0.8, 0.95],
  backendQueue: [1, 4],
} as const satisfies Record<keyof SystemSample, readonly [number, number]>;

/** Of a rise and of a fall, what one sample takes: pressure comes at once and goes slowly. */
const rise = 0.5;
const fall = 0.1;
/** Less of a change than this is none: a limit that trembles with each sample helps nobody. */
const grain = 0.02;

/** The worst of the signals, 0 (none presses) to 1. */
export function rawPressure(sample: SystemSample): number {
  return Math.max(
    ramp(sample.loopDelayP99Ms, ramps.loopDelayP99Ms),
    ramp(sample.cpuShare, ramps.cpuShare),
    ramp(sample.memoryShare, ramps.memoryShare),
    ramp(sample.backendQueue, ramps.backendQueue),
  );
}

/** The pressure after a sample: e.g. from 0 to a raw 1 in 0.5, 0.75, 0.875; back by a tenth of the rest a sample. */
export function pressureAfter(before: number, sample: SystemSample): number {
  const change = rawPressure(sample) - before;
  if (Math.abs(change) < grain) return before;
  const next = before + change * (change > 0 ? rise : fall);
  return next < grain && change < 0 ? 0 : next;
}

function ramp(value: number, [from, to]: readonly [number, number]): number {
  return value > from ? Math.min(1, (value - from) / (to - from)) : 0;
}
