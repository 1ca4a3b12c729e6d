import type { ModelSignature } from '../tensors/signature.js';
import type { ProviderName, SessionSettings, TensorInTransit } from './protocol.js';
import type { ThreadLease } from './thread-pool.js';
import type { RunOutcome } from './worker-thread.js';

/** One copy of a model: a session on a thread. */
export interface ModelInstance {
  /** Within its model version: "0", "1", ... */
  readonly id: string;
  readonly lease: ThreadLease;
  readonly signature: ModelSignature;
  readonly provider: ProviderName;
  readonly deviceId: number;
  /** See the README: what ModelStatistics.memory_usage counts. */
  readonly memoryBytes: number;
  readonly busy: boolean;
  readonly lost: boolean;
  run(inputs: readonly TensorInTransit[], outputs: readonly number[], done: (outcome: RunOutcome) => void): void;
  onLost(listener: (message: string) => void): void;
  /** Releases session and thread; only when no run is in flight. */
  close(): Promise<void>;
}

/** @throws Error that says why the model or its provider did not load; the lease is given back then. */
export async function openInstance(
  index: number,
  lease: ThreadLease,
  modelFile: string,
  fileBytes: number,
  settings: SessionSettings,
): Promise<ModelInstance> {
  const { thread } = lease.turns;
  const opened = await thread.open(modelFile, settings);
  let lost = false;
  thread.onLost(() => (lost = true));
  return {
    id: String(index),
    lease,
    signature: opened.signature,
    provider: settings.provider.name,
    deviceId: settings.provider.deviceId,
    memoryBytes: Math.max(fileBytes, opened.residentDeltaBytes),
    get busy() {
      return thread.busy;
    },
    get lost() {
      return lost;
    },
    run: (inputs, outputs, done) => thread.run(opened.session, inputs, outputs, done),
    onLost: (listener) => thread.onLost(listener),
    close: async () => {
      await thread.close(opened.session);
      await lease.release();
    },
  };
}
