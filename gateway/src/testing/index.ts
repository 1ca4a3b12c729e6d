export { Admission } from '../admission/admission.js';
export type { Entrant, Grant } from '../admission/admission.js';
export { startLocalGateway } from './local-gateway.js';
export type { LocalGateway } from './local-gateway.js';
export { MemoryChannel } from '../simulation/memory-channel.js';
export { buildRequest, readReply } from './requests.js';
export type { ReadReply, RequestToBuild } from './requests.js';
export { startStandInBackend } from './stand-in-backend.js';
export type { StandInBackend, StandInOptions } from './stand-in-backend.js';
export { StandInEngine } from './stand-in-engine.js';
export type { StandInAnswer, StandInModel, StandInRun } from './stand-in-engine.js';
export type { StandInState } from './stand-in-methods.js';
export {
  connectRedis,
  leaseStoreCases,
  Quotas,
  RedisLeaseStore,
  SharedBuckets,
  tenant as quotaTenant,
  tier as quotaTier,
} from './shared-quotas.js';
export type { LeaseStore, RedisConnection, StoreRig, TestTenant } from './shared-quotas.js';
