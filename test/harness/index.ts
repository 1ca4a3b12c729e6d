export { mustRun, runCommand } from './command.js';
export type { CommandOptions, CommandResult } from './command.js';
export { GrpcJsClient } from './grpc-client.js';
export type { CallSettings, Reply } from './grpc-client.js';
export { inferMessage, inferPath } from './infer-message.js';
export type { RawInput } from './infer-message.js';
export { cacheRoot } from './install/cache.js';
export { quantile, startLoad } from './load.js';
export type { LoadOptions, LoadResult, RunningLoad } from './load.js';
export { paths } from './paths.js';
export { startKserve, startMlserver } from './peers.js';
export type { Peer, PeerOptions } from './peers.js';
export { freePort, tempDir } from './places.js';
export type { TempDir } from './places.js';
export { startGateway, startInference, startPlatform, tableText } from './platform.js';
export type {
  BackendEntry,
  GatewayOptions,
  InferenceOptions,
  Platform,
  PlatformOptions,
  RunningGateway,
  RunningServer,
  TableBody,
} from './platform.js';
export { startProcess } from './process.js';
export type { Exit, RunningProcess, StartOptions } from './process.js';
export { runPython } from './python-client.js';
export { needRedis, startRedis, startRedisCluster, startSentinel } from './redis.js';
export type { RedisOptions, RedisTools, RunningRedis } from './redis.js';
export { referenceFp32 } from './reference.js';
export { exactFractions, fp32, fp32Bytes, fp32Values } from './tensors.js';
export type { JsonTensor } from './tensors.js';
export { mustHaveTools, need, tool, toolNames } from './tools.js';
export type { BenchToolName, Tool, ToolName, ToolResult } from './tools.js';
