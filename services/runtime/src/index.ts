export { systemClock } from './clock.js';
export type { Clock, Timer } from './clock.js';
export { refusalStatus, refuse } from './refusal.js';
export type { Refusal, RefusalReason, Result } from './refusal.js';
export { statusCode, statusName } from './status.js';
export type { StatusCode, StatusName } from './status.js';
