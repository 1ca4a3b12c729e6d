/** One configuration of the bare onnxruntime loop. */
export interface RawPlan {
  readonly file: string;
  readonly model: string;
  /** Threads of this process that each run a session. */
  readonly workers: number;
  readonly intraOpThreads: number;
  readonly batchRows: number;
  readonly durationMs: number;
}

export interface RawResult {
  readonly rowsPerS: number;
  /** Mean of a run. */
  readonly runMs: number;
}

/** What a worker posts when its time is up. */
export interface WorkerResult {
  readonly runs: number;
  readonly busyMs: number;
}
