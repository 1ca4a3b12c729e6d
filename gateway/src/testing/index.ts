export { MemoryChannel } from './memory-channel.js';
export { buildRequest, readReply } from './requests.js';
export type { ReadReply, RequestToBuild } from './requests.js';
export { startStandInBackend } from './stand-in-backend.js';
export type { StandInBackend, StandInOptions } from './stand-in-backend.js';
export { StandInEngine } from './stand-in-engine.js';
export type { StandInAnswer, StandInModel, StandInRun } from './stand-in-engine.js';
export type { StandInState } from './stand-in-methods.js';
