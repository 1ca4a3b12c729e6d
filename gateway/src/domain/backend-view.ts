/**
 * What the gateway knows about a backend at one moment: an immutable value that discovery replaces and that routing,
 * the repository calls and the merge check read.
 */
export interface BackendView {
  readonly name: string;
  readonly podClass: string;
  readonly state: BackendState;
  /** Counts the times it became ready; a new number is a new life, with slow start and forgotten slowness. */
  readonly life: number;
  /** Clock.nowMs() of the start of this life. */
  readonly readySinceMs: number;
  /** Instances per model as the table says; undefined leaves it to the model's configuration. */
  readonly instances: number | undefined;
  readonly models: ReadonlyMap<string, BackendModel>;
}

/** connecting: never reached yet; notReady: it answers, but says it is not ready; lost: it was reached and the connection broke. */
export type BackendState = 'connecting' | 'ready' | 'notReady' | 'lost';

export interface BackendModel {
  readonly name: string;
  /** Versions that are ready; empty when the backend has the model but cannot serve it. A server that names no versions shows as [""]. */
  readonly readyVersions: readonly string[];
  /** Versions known to this backend and not ready, with the reason it gave. */
  readonly unready: ReadonlyMap<string, string>;
  readonly signature: ModelSignature | undefined;
  /** Of ModelConfig; undefined when the backend does not tell. */
  readonly maxBatchRows: number | undefined;
  /** Sum of instance_group counts; undefined when the backend does not tell. */
  readonly instances: number | undefined;
}

/** Of ModelMetadata. Dims include the batch axis; -1 is any size. */
export interface ModelSignature {
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly string[];
}

export interface TensorSignature {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  /** Absent tensors are allowed (ModelConfig says `optional`). */
  readonly optional: boolean;
}

/** Can it run this version ("" = whichever the backend prefers)? */
export function servesVersion(model: BackendModel, version: string): boolean {
  if (model.readyVersions.length === 0) return false;
  return version === '' || model.readyVersions.includes(version);
}

/** Instance slots of a model on a backend: table, else configuration, else one. */
export function instancesOf(backend: BackendView, model: BackendModel): number {
  return backend.instances ?? model.instances ?? 1;
}
