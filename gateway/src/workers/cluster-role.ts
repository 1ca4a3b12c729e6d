import cluster from 'node:cluster';
import type { FromWorker, ToWorker } from './messages.js';
import type { WorkerProcess } from './fleet.js';
import type { PrimaryChannel } from './worker-link.js';

/** What this process is; the only file that touches node:cluster. */
export type ClusterRole =
  | { readonly kind: 'primary'; readonly fork: (grpcPort: number) => WorkerProcess }
  | { readonly kind: 'worker'; readonly channel: PrimaryChannel };

/** `argv`: of this program, without node and script; workers get the same. */
export function clusterRole(argv: readonly string[]): ClusterRole {
  const { worker } = cluster;
  if (worker === undefined) return { kind: 'primary', fork: (grpcPort) => fork(argv, grpcPort) };
  // By default a worker leaves at once when the primary is gone, with all that it has accepted.
  worker.exitedAfterDisconnect = true;
  return {
    kind: 'worker',
    channel: {
      send: (message: FromWorker) => {
        if (process.connected) process.send?.(message, undefined, undefined, ignoreError);
      },
      onMessage: (listener) => void process.on('message', (message) => listener(message as ToWorker)),
      onClose: (listener) => void process.on('disconnect', listener),
      close: () => {
        if (process.connected) process.disconnect();
      },
    },
  };
}

function fork(argv: readonly string[], grpcPort: number): WorkerProcess {
  // The last of two equal flags counts.
  cluster.setupPrimary({ args: [...argv, '--grpc-port', String(grpcPort)] });
  const worker = cluster.fork();
  return {
    id: worker.id,
    pid: worker.process.pid ?? 0,
    send: (message: ToWorker) => {
      if (worker.isConnected()) worker.process.send(message, undefined, undefined, ignoreError);
    },
    onMessage: (listener) => void worker.on('message', (message) => listener(message as FromWorker)),
    onExit: (listener) => void worker.once('exit', (code, signal) => listener(signal ?? `code ${code}`, code === 0)),
    kill: () => void worker.process.kill('SIGKILL'),
  };
}

/** A process that ends while it is written to is seen by its exit. */
function ignoreError(): void {}
