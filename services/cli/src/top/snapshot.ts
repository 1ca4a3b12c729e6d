import type { Buckets } from './quantile.js';

/** Counters of one model or one replica at one moment; they only ever grow. */
export interface Counters {
  /** Model, or replica. */
  readonly name: string;
  readonly version: string;
  /** Model: requests answered well. Replica: runs. */
  readonly answered: number;
  readonly failed: number;
  /** Sum of the latencies of what was answered. */
  readonly latencySumMs: number;
  /** How many latencies are in the sum. */
  readonly latencyCount: number;
  /** Milliseconds; absent where the source has no histogram. */
  readonly latency: Buckets | undefined;
  readonly runs: number;
  readonly rows: number;
  /** Sum of the times from arrival to the start of the run, and how many are in it. */
  readonly waitSumMs: number;
  readonly waitCount: number;
  /** Replica: "ready", "not ready", "ejected", "breaker open"; undefined where the source does not tell. */
  readonly state: string | undefined;
}

export interface Snapshot {
  readonly atMs: number;
  readonly models: readonly Counters[];
  /** Empty where the source does not tell them apart. */
  readonly replicas: readonly Counters[];
  /** Rows that wait now, over all models; undefined where the source does not tell. */
  readonly queuedRows: number | undefined;
}

/** One line of the table: what happened between two snapshots. */
export interface TopLine {
  readonly name: string;
  readonly version: string;
  readonly perSecond: number;
  readonly failedPerSecond: number;
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly meanMs: number | undefined;
  readonly meanWaitMs: number | undefined;
  readonly meanBatchRows: number | undefined;
  readonly state: string | undefined;
}
