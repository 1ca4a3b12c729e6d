export { cpuQuota } from './instance/cpu-quota.js';
export type { InferenceServerOptions } from './options.js';
export type { StateChange } from './repository/model-host.js';
export { startInferenceServer } from './server.js';
export type { InferenceServer } from './server.js';
export { defineInferenceMetrics } from './metrics.js';
