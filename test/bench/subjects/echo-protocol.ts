import type { TlsServerFiles, WireName } from '@headrace/wire';

/** Bytes back as they came. */
export const echoPath = '/bench.Echo/Unary';

/** The argument of echo-main. */
export interface EchoPlan {
  readonly wire: WireName;
  readonly tls?: TlsServerFiles;
}

/** The argument of echo-client-main. */
export interface EchoClientPlan {
  readonly wire: WireName;
  readonly address: string;
  readonly channels: number;
  /** Of each channel. */
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
}

/** What echo-client-main prints: of the measured time alone. */
export interface EchoClientResult {
  readonly calls: number;
  readonly elapsedMs: number;
  /** User and system time of all threads of the client. */
  readonly cpuUs: number;
}
