import type { StandInEngine } from '@headrace/gateway/testing';
import { scanInferRequest } from '@headrace/proto';

/** How often each row value of the stand-ins' default model was run, over all of them: the truth about retries. */
export function timesRun(engines: readonly StandInEngine[], model: string): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  for (const { runs } of engines) {
    for (const run of runs) {
      if (run.model !== model) continue;
      const scanned = scanInferRequest(run.bytes);
      const raw = scanned.ok ? scanned.view.inputs[0]?.raw : undefined;
      if (raw === undefined) throw new Error('a run without a raw input');
      for (let at = raw.start; at < raw.end; at += 8) {
        const value = Number(run.bytes.readBigInt64LE(at));
        times.set(value, (times.get(value) ?? 0) + 1);
      }
    }
  }
  return times;
}
