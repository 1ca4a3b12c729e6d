import type { ServerReflectionDefinition as ReflectionV1Definition } from '../gen/grpc/reflection/v1/ServerReflection.js';
import type { ServerReflectionDefinition as ReflectionV1AlphaDefinition } from '../gen/grpc/reflection/v1alpha/ServerReflection.js';
import type { HealthDefinition } from '../gen/grpc/health/v1/Health.js';
import type { TrafficDefinition } from '../gen/headrace/v1/Traffic.js';
import type { GRPCInferenceServiceDefinition } from '../gen/inference/GRPCInferenceService.js';
import { serviceCodecs } from './codec.js';
import type { Service } from './codec.js';

/** Open Inference Protocol v2 with Triton's extensions. */
export const inferenceService: Service<GRPCInferenceServiceDefinition> = serviceCodecs('inference.GRPCInferenceService');
/** What admission does, for people. */
export const trafficService: Service<TrafficDefinition> = serviceCodecs('headrace.v1.Traffic');
export const healthService: Service<HealthDefinition> = serviceCodecs('grpc.health.v1.Health');
export const reflectionV1Service: Service<ReflectionV1Definition> = serviceCodecs('grpc.reflection.v1.ServerReflection');
export const reflectionV1AlphaService: Service<ReflectionV1AlphaDefinition> = serviceCodecs('grpc.reflection.v1alpha.ServerReflection');
