import { exponentialMs } from './random.js';
import type { SimRequest } from './request.js';
import type { Simulation } from './simulation.js';

/** Requests that come at `perMs` on average, whatever becomes of them, for `forMs`. */
export function openLoop(simulation: Simulation, perMs: number, forMs: number, make: () => Partial<SimRequest> = () => ({})): SimRequest[] {
  const requests: SimRequest[] = [];
  const endMs = simulation.clock.nowMs() + forMs;
  const next = (): void => {
    if (simulation.clock.nowMs() > endMs) return;
    requests.push(simulation.submit(make()));
    simulation.clock.setTimer(next, exponentialMs(simulation.random, perMs));
  };
  simulation.clock.setTimer(next, exponentialMs(simulation.random, perMs));
  return requests;
}

/** `clients` who each send the next request `turnaroundMs` after the answer to the one before. Keeps on for ever. */
export function closedLoop(
  simulation: Simulation,
  clients: number,
  turnaroundMs = 0.01,
  make: () => Partial<SimRequest> = () => ({}),
): { readonly doneRows: () => number } {
  let doneRows = 0;
  const ours = new Set<SimRequest>();
  const before = simulation.onDone;
  simulation.onDone = (request) => {
    before(request);
    if (!ours.delete(request)) return;
    doneRows += request.rows;
    simulation.clock.setTimer(() => ours.add(simulation.submit(make())), turnaroundMs);
  };
  for (let client = 0; client < clients; client++) simulation.clock.setTimer(() => ours.add(simulation.submit(make())), 0);
  return { doneRows: () => doneRows };
}

export interface Persistence {
  /** Requests that were told a time when they were refused, and came then. */
  returned: number;
  /** Of those, the ones that were taken. */
  taken: number;
  /** Refused without a time. */
  untold: number;
  /** The latest of all times told, ms from then. */
  longestMs: number;
}

/**
 * openLoop with clients who, refused, come back at the time that they were told, up to `times` times. They say so
 * (`returning`), as gRPC's own retries do. `share` of them do; the others give up.
 */
export function persistentLoop(
  simulation: Simulation,
  perMs: number,
  forMs: number,
  make: () => Partial<SimRequest> = () => ({}),
  { times = 3, share = 1 }: { readonly times?: number; readonly share?: number } = {},
): { readonly requests: SimRequest[]; readonly persistence: Persistence } {
  const persistence: Persistence = { returned: 0, taken: 0, untold: 0, longestMs: 0 };
  const requests: SimRequest[] = [];
  const refusedAgain = (request: SimRequest, left: number): void => {
    const refusal = simulation.outcome(request).refused;
    if (refusal === undefined) return;
    if (refusal.retryAfterMs === undefined) {
      persistence.untold += 1;
      return;
    }
    persistence.longestMs = Math.max(persistence.longestMs, refusal.retryAfterMs);
    if (left === 0 || simulation.random() >= share) return;
    // Something for the network.
    simulation.clock.setTimer(() => {
      const again = simulation.submit({ ...make(), returning: true });
      requests.push(again);
      persistence.returned += 1;
      if (simulation.outcome(again).refused === undefined) persistence.taken += 1;
      refusedAgain(again, left - 1);
    }, refusal.retryAfterMs + simulation.random());
  };
  const endMs = simulation.clock.nowMs() + forMs;
  const next = (): void => {
    if (simulation.clock.nowMs() > endMs) return;
    const request = simulation.submit(make());
    requests.push(request);
    refusedAgain(request, times);
    simulation.clock.setTimer(next, exponentialMs(simulation.random, perMs));
  };
  simulation.clock.setTimer(next, exponentialMs(simulation.random, perMs));
  return { requests, persistence };
}
