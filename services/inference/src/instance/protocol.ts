import type { ModelSignature } from '../tensors/signature.js';

/**
 * What the serving thread and a worker thread say to each other. One worker hosts one or more sessions and runs one
 * batch at a time. A run whose tensors fit lies in the slot that both share, and only its number is sent (see RunSlot).
 * Otherwise buffers are transferred, not copied: inputs go over and come back for reuse, outputs stay here.
 *
 *     host                               worker
 *      |  open {session, file}  ------->  |  loads
 *      |  <---------- opened {signature}  |
 *      |  number of a run in the slot ->  |  session.run (synchronous)
 *      |  <------------- the same number  |  outputs are in the slot
 *      |  run {inputs: buffers} ------->  |  session.run
 *      |  <--- ran {outputs, inputs back} |  also the answer to a number when the outputs do not fit
 *      |  close {session}  ------------>  |  releases
 *      |  stop  ----------------------->  |  its event loop runs empty and the thread ends
 */
export type ToWorker =
  | SlotRunNumber
  | OpenSession
  | RunSession
  | { readonly kind: 'close'; readonly session: number }
  | { readonly kind: 'stop' };

/** The run with this number lies in the slot; as an answer: its outputs do. */
export type SlotRunNumber = number;

/** What a worker thread is started with. */
export interface WorkerStart {
  /** A RunSlot's. */
  readonly slotMemory: SharedArrayBuffer;
}

export interface OpenSession {
  readonly kind: 'open';
  readonly session: number;
  readonly modelFile: string;
  readonly options: SessionSettings;
}

/** What a session is opened with; the same on every instance of a model. */
export interface SessionSettings {
  readonly provider: { readonly name: ProviderName; readonly deviceId: number };
  readonly intraOpThreads: number;
}

export const providerNames = ['cpu', 'cuda', 'tensorrt'] as const;
export type ProviderName = (typeof providerNames)[number];

export interface RunSession {
  readonly kind: 'run';
  readonly run: number;
  readonly session: number;
  /** In the order of the signature's inputs. A buffer may be longer than its tensor: only `byteLength` bytes count. */
  readonly inputs: readonly TensorInTransit[];
  /** Indices into the signature's outputs. */
  readonly outputs: readonly number[];
}

export interface TensorInTransit {
  readonly buffer: ArrayBuffer;
  /** 0 unless told; divisible by 8. Only inputs as the worker takes them out of the slot have one. */
  readonly byteOffset?: number;
  readonly byteLength: number;
  readonly shape: readonly number[];
}

export type FromWorker =
  | SlotRunNumber
  | {
      readonly kind: 'started';
      /** Of the kernel, for pinning; undefined where /proc does not tell it. */
      readonly threadId: number | undefined;
    }
  | OpenedSession
  | { readonly kind: 'openFailed'; readonly session: number; readonly message: string }
  | RanSession
  | { readonly kind: 'runFailed'; readonly run: number; readonly message: string; readonly inputs: readonly ArrayBuffer[] }
  | { readonly kind: 'closed'; readonly session: number };

export interface OpenedSession {
  readonly kind: 'opened';
  readonly session: number;
  readonly signature: ModelSignature;
  /** Growth of the process's resident memory while the session was made; noise of other threads included. */
  readonly residentDeltaBytes: number;
  readonly loadMs: number;
}

export interface RanSession {
  readonly kind: 'ran';
  readonly run: number;
  /** None of a run in the slot: the host has kept them. */
  readonly inputs: readonly ArrayBuffer[];
  readonly outputs: readonly TensorInTransit[];
  /** Wrapping the inputs as tensors, session.run, taking the outputs: nanoseconds each. */
  readonly inputNs: number;
  readonly runNs: number;
  readonly outputNs: number;
}
