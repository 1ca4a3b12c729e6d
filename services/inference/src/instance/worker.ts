import { readlinkSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '@headrace/runtime';
import type { FromWorker, OpenSession, RunSession, SlotRunNumber, ToWorker, WorkerStart } from './protocol.js';
import { RunSlot } from './run-slot.js';
import type { RunResult, Session } from './session.js';
import { loadRuntime, openSession } from './session.js';

/** The entry of a worker thread: sessions live here, and nothing else runs here. */
const port = parentPort;
if (port === null) throw new Error('this file is the entry of a worker thread and does nothing by itself');

const slot = new RunSlot((workerData as WorkerStart).slotMemory);
const sessions = new Map<number, Session>();

port.on('message', (message: ToWorker) => {
  if (typeof message === 'number') return runInSlot(message);
  switch (message.kind) {
    case 'open':
      return open(message);
    case 'run':
      return run(message);
    case 'close':
      sessions.get(message.session)?.dispose();
      sessions.delete(message.session);
      return tell({ kind: 'closed', session: message.session });
    case 'stop':
      for (const session of sessions.values()) session.dispose();
      sessions.clear();
      // With the port closed nothing keeps the thread: it ends by itself, never in the middle of a run.
      return port.close();
  }
});
tell({ kind: 'started', threadId: kernelThreadId() });

function open({ session, modelFile, options }: OpenSession): void {
  try {
    loadRuntime();
    const residentBefore = process.memoryUsage.rss();
    const startedMs = systemClock.nowMs();
    const opened = openSession(modelFile, options, systemClock);
    const loadMs = systemClock.nowMs() - startedMs;
    sessions.set(session, opened);
    const residentDeltaBytes = Math.max(0, process.memoryUsage.rss() - residentBefore);
    tell({ kind: 'opened', session, signature: opened.signature, residentDeltaBytes, loadMs });
  } catch (error) {
    tell({ kind: 'openFailed', session, message: messageOf(error) });
  }
}

function runInSlot(id: SlotRunNumber): void {
  try {
    const { session, inputs, outputs } = slot.takeRun();
    const result = runSession(session, inputs, outputs);
    if (slot.putResult(result)) return tell(id);
    tell(
      { kind: 'ran', run: id, inputs: [], ...result },
      result.outputs.map((output) => output.buffer),
    );
  } catch (error) {
    tell({ kind: 'runFailed', run: id, message: messageOf(error), inputs: [] });
  }
}

function run({ run: id, session, inputs, outputs }: RunSession): void {
  const returned = inputs.map((input) => input.buffer);
  try {
    const result = runSession(session, inputs, outputs);
    tell({ kind: 'ran', run: id, inputs: returned, ...result }, [...returned, ...result.outputs.map((output) => output.buffer)]);
  } catch (error) {
    tell({ kind: 'runFailed', run: id, message: messageOf(error), inputs: returned }, returned);
  }
}

function runSession(session: number, inputs: RunSession['inputs'], outputs: readonly number[]): RunResult {
  const target = sessions.get(session);
  if (target === undefined) throw new Error('the session is not open on this thread');
  return target.run(inputs, outputs);
}

function tell(message: FromWorker, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(message, transfer);
}

/** Linux names the thread that asks: /proc/thread-self -> "<pid>/task/<tid>". */
function kernelThreadId(): number | undefined {
  try {
    const id = Number(readlinkSync('/proc/thread-self').split('/').pop());
    return Number.isInteger(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
