export { exponentialMs, jitter, seededRandom } from './random.js';
export { makeLimits, makeRequest } from './request.js';
export type { SimRequest } from './request.js';
export { Simulation } from './simulation.js';
export type { Outcome, SimOptions, SimRun, SimTarget } from './simulation.js';
export { closedLoop, openLoop, persistentLoop } from './workload.js';
