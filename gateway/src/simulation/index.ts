export { Simulation } from './simulation.js';
export type { SimulationOptions, Standing } from './simulation.js';
export { plainMix, requestsAt } from './mix.js';
export { poisson } from './moments.js';
export { randomStream } from './random.js';
