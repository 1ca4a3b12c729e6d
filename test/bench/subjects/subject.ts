import type { BenchModel } from '../workload/models.js';

export interface ServedModel {
  /** The name it is served under. */
  readonly name: string;
  readonly model: BenchModel;
  /** Of the ONNX file. */
  readonly file: string;
}

/** What a subject is to serve. */
export interface Serve {
  readonly models: readonly ServedModel[];
  /** onnxruntime threads of peers that run one request at a time. */
  readonly peerThreads: number;
  /** Given: requests have two priorities and this deadline, of which a peer is told what its configuration can say. */
  readonly deadlineMs?: number;
  /** Where V8's CPU profiles of Headrace's processes go; absent: not profiled. */
  readonly profileFolder?: string;
}

/** A server under load, ready when it is handed out. */
export interface RunningSubject {
  /** "host:port", gRPC. */
  readonly address: string;
  /** Given: TLS, with a certificate that this authority signed. */
  readonly authorityFile?: string;
  /** The processes it was started as; their children count too. */
  readonly pids: readonly number[];
  /** What a process that ended by itself said last; undefined while all run. */
  died?(): string | undefined;
  stop(): Promise<void>;
}

export interface Subject {
  readonly name: string;
  /** Installs what is missing, which is no part of a start. Throws Unavailable. */
  install?(): Promise<void>;
  /** Resolves when the server says that it is ready, or listens. */
  start(serve: Serve): Promise<RunningSubject>;
}

/** A subject that cannot run here, e.g. because its installer has no wheel for this machine: its figures are left out. */
export class Unavailable extends Error {}
