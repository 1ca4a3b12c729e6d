/** How many inference processes to run, and how many model instances each gets. */
export interface Placement {
  readonly replicas: number;
  /** Instances of each model per replica; their sum is the machine's CPUs, at least one each. */
  readonly instances: readonly number[];
}

/** One process serves this many CPUs; its gRPC thread and its fixed memory (about 100 MB) are shared by as many instances. */
const cpusPerReplica = 4;
const maxDefaultReplicas = 8;

/**
 * Default: one process per 4 CPUs, but two where there are two CPUs at all, so that when one process dies the other goes
 * on answering. Instances (worker threads, each with its own copy of the weights) are one per CPU over all replicas.
 * E.g. 1 CPU => 1 x 1; 2 => 2 x 1; 6 => 2 x 3; 16 => 4 x 4; --replicas 3 on 8 CPUs => 3 + 3 + 2.
 */
export function place(cpus: number, wantedReplicas?: number): Placement {
  const wholeCpus = Math.max(1, Math.floor(cpus));
  const replicas = wantedReplicas ?? Math.min(maxDefaultReplicas, Math.max(Math.min(2, wholeCpus), Math.ceil(wholeCpus / cpusPerReplica)));
  const share = Math.floor(wholeCpus / replicas);
  const extra = wholeCpus % replicas;
  return { replicas, instances: Array.from({ length: replicas }, (_, index) => Math.max(1, share + (index < extra ? 1 : 0))) };
}
