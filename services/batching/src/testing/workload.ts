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
