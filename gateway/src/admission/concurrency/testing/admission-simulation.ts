import { seededRandom } from '@headrace/batching/testing';
import type { AdmissionClass } from '../classes.js';
import { AdmissionClasses } from '../classes.js';
import { GoalGradient, leastUnderWay } from '../goal-gradient.js';
import { ModelAdmission } from '../model-admission.js';
import { capacityPerMs } from './queue-simulation.js';
import type { SimBackend } from './queue-simulation.js';

export interface AdmissionCase {
  /** Of what the backend can do. */
  readonly load: number | ((nowMs: number) => number);
  readonly forMs: number;
  /** How long requests come; default: as long as forMs. */
  readonly comeForMs?: number;
  /** Share of the refused who come back at the time told. */
  readonly returnShare?: number;
  readonly seed?: number;
}

export interface AdmissionResult {
  /** By class: came for the first time, of those let in at once, of those in time. */
  readonly classes: Readonly<Record<string, { came: number; admitted: number; inTime: number }>>;
  readonly returned: number;
  readonly taken: number;
  readonly untold: number;
  readonly goodput: number;
  /** Standard deviation by mean of what the lowest class and the middle one get through in each 100 ms, and of the keep. */
  readonly keepVariation: number;
}

interface Client {
  readonly of: AdmissionClass;
  readonly name: string;
  arrivedMs: number;
  first: boolean;
}

const backend: SimBackend = { overheadMs: 10, perRowMs: 0.5, maxRows: 32, servers: 1 };
const goalMs = 200;
/** Waiting this long moves a request up one rank. */
const agingMs = 50;
const mix = [
  { name: 'gold 1', band: 1, tier: 'gold', share: 0.2 },
  { name: 'gold 2', band: 2, tier: 'gold', share: 0.2 },
  { name: 'silver 2', band: 2, tier: 'silver', share: 0.3 },
  { name: 'free 3', band: 3, tier: 'free', share: 0.3 },
] as const;

/** ModelAdmission before a batching server that serves better ranks first: what each class gets, and what promises were worth. */
export function simulateAdmission({ load, forMs, comeForMs = forMs, returnShare = 0, seed = 1 }: AdmissionCase): AdmissionResult {
  const classes = new AdmissionClasses(3, [
    { name: 'gold', weight: 8 },
    { name: 'silver', weight: 3 },
    { name: 'free', weight: 1 },
  ]);
  const goal = { percentile: 99, latencyMs: goalMs };
  const limit = new GoalGradient({ goal });
  limit.setLeast(leastUnderWay([backend], backend.maxRows, goal));
  const admission = new ModelAdmission(limit, classes.ranks, classes.tiers);
  const capacity = capacityPerMs(backend);
  const random = seededRandom(seed);
  const result: Record<string, { came: number; admitted: number; inTime: number }> = {};
  for (const { name } of mix) result[name] = { came: 0, admitted: 0, inTime: 0 };
  const waiting: Client[][] = Array.from({ length: classes.ranks }, () => []);
  const returns: { atMs: number; client: Client }[] = [];
  const keeps: number[] = [];
  let running: { endMs: number; runMs: number; members: Client[] } | undefined;
  let nextMs = 0;
  let nowMs = 0;
  let returned = 0;
  let taken = 0;
  let untold = 0;
  let inTime = 0;
  let keptMs = 0;
  const come = (client: Client, returning: boolean): void => {
    client.arrivedMs = nowMs;
    const refusal = admission.admit(client.of, returning, nowMs);
    if (returning) returned += 1;
    const counts = result[client.name];
    if (refusal === undefined) {
      if (returning) taken += 1;
      else if (counts !== undefined) counts.admitted += 1;
      waiting[client.of.rank]?.push(client);
    } else if (refusal.retryAfterMs === undefined) untold += 1;
    else if (random() < returnShare) {
      returns.push({ atMs: nowMs + refusal.retryAfterMs + random(), client });
      returns.sort((left, right) => left.atMs - right.atMs);
    }
  };
  while (nowMs < forMs) {
    if (running === undefined) {
      const members: Client[] = [];
      while (members.length < backend.maxRows) {
        const next = nextOf(waiting, nowMs);
        if (next === undefined) break;
        members.push(next);
      }
      if (members.length > 0) {
        const runMs = backend.overheadMs + backend.perRowMs * members.length;
        running = { endMs: nowMs + runMs, runMs, members };
      }
    }
    const back = returns[0]?.atMs ?? Infinity;
    nowMs = Math.min(nextMs, running?.endMs ?? Infinity, back);
    if (nowMs >= keptMs) {
      keptMs = nowMs + 20;
      if (nowMs > forMs / 3) keeps.push(admission.keep);
    }
    if (running !== undefined && nowMs === running.endMs) {
      for (const { arrivedMs, name, of } of running.members) {
        admission.ended(of, nowMs - arrivedMs, running.runMs, nowMs);
        const counts = result[name];
        if (nowMs - arrivedMs > goalMs || counts === undefined) continue;
        counts.inTime += 1;
        inTime += 1;
      }
      running = undefined;
    } else if (nowMs === back) {
      const [next] = returns.splice(0, 1);
      if (next !== undefined) come(next.client, true);
    } else {
      let dice = random();
      const chosen = mix.find(({ share }) => (dice -= share) < 0) ?? mix[0];
      const counts = result[chosen.name];
      if (counts !== undefined) counts.came += 1;
      come({ of: classes.of(chosen.band, chosen.tier), name: chosen.name, arrivedMs: nowMs, first: true }, false);
      const rate = (typeof load === 'number' ? load : load(nowMs)) * capacity;
      nextMs = nowMs < comeForMs ? nowMs - Math.log(1 - random()) / rate : Infinity;
    }
    if (nowMs === Infinity) break;
  }
  const mean = keeps.reduce((sum, keep) => sum + keep, 0) / Math.max(keeps.length, 1);
  const variance = keeps.reduce((sum, keep) => sum + (keep - mean) ** 2, 0) / Math.max(keeps.length, 1);
  return { classes: result, returned, taken, untold, goodput: inTime / (capacity * comeForMs), keepVariation: Math.sqrt(variance) / mean };
}

/** The head with the best rank, aging counted. */
function nextOf(waiting: readonly Client[][], nowMs: number): Client | undefined {
  let best: Client[] | undefined;
  let bestScore = Infinity;
  for (const queue of waiting) {
    const [head] = queue;
    if (head === undefined) continue;
    const score = head.of.rank - (nowMs - head.arrivedMs) / agingMs;
    if (score < bestScore) {
      best = queue;
      bestScore = score;
    }
  }
  return best?.shift();
}
