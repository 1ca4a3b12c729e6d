import { join } from 'node:path';
import { paths } from '../../harness/paths.js';
import { startProcess } from '../../harness/process.js';
import { timerModel } from '../workload/timer-request.js';
import { readyPort } from './ready-port.js';
import type { RunningSubject } from './subject.js';

/** A model that takes t(b) = overheadMs + perRowMs x b and no CPU. */
export interface TimerOptions {
  readonly overheadMs: number;
  readonly perRowMs: number;
  /** 0: never batched. */
  readonly maxBatchRows: number;
  /** Runs at once. */
  readonly instances: number;
}

/** The stand-in of the gateway's tests in a process of its own. */
export async function startTimer({ overheadMs, perRowMs, maxBatchRows, instances }: TimerOptions): Promise<RunningSubject> {
  const main = join(paths.root, 'test/dist/test/integration/stand-in-main.js');
  const args = [main, overheadMs, perRowMs, timerModel, maxBatchRows, instances].map(String);
  const server = await startProcess(process.execPath, args, { name: 'timer' });
  const stop = async (): Promise<void> => void (await server.stop());
  try {
    const port = await server.announced('the ready announcement', readyPort);
    return { address: `127.0.0.1:${port}`, pids: [server.pid], stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
