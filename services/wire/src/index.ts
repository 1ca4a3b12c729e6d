export { defaultWire, transportOf, wireNamed, wireNames, wireVariable } from './choose.js';
export type { WireName } from './choose.js';
export { grpcJsTransport } from './grpc-js/transport.js';
export { registerHealth } from './health/health.js';
export type { HealthOptions } from './health/health.js';
export type { HealthSource, HealthState } from './health/source.js';
export { http2Transport } from './http2/transport.js';
export type { Http2TransportOptions } from './http2/transport.js';
export { Metadata } from './metadata.js';
export type {
  CallOptions,
  Channel,
  ChannelOptions,
  ChannelState,
  ClientCall,
  ClientStream,
  KeepaliveOptions,
  MethodHandler,
  Peer,
  ServerCall,
  ServerOptions,
  StreamCall,
  StreamReceiver,
  TlsClientFiles,
  TlsServerFiles,
  TransportOptions,
  Transport,
  UnaryCall,
  UnaryOutcome,
  WireServer,
  WireStatus,
} from './port.js';
export type { PeerLimits } from './peer-limits.js';
export { registerReflection } from './reflection/reflection.js';
export { refusalToStatus, statusToRefusal } from './status.js';
export { unary } from './unary.js';
