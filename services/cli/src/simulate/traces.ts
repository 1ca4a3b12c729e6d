import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ArrivalSource, MadeTrace, SimulatedBackend } from '@headrace/gateway/simulation';
import {
  FileSource,
  MadeSource,
  TraceProblem,
  isTraceSpec,
  parseTraceSpec,
  randomStream,
  slowedBackends,
  traceKinds,
} from '@headrace/gateway/simulation';
import { usageFailure } from '../failure.js';
import type { Io } from '../io.js';
import { checked } from './policy.js';

/** What --trace names: a file, or how to make one. */
export type Trace =
  | { readonly kind: 'file'; readonly file: string; readonly path: string; readonly bytes: number }
  | { readonly kind: 'made'; readonly made: MadeTrace };

/** Throws usage failures: for each --trace that is wrong, what was expected. */
export async function readTraces(texts: readonly string[], io: Io): Promise<readonly Trace[]> {
  const traces: Trace[] = [];
  for (const text of texts) {
    if (isTraceSpec(text)) {
      traces.push({ kind: 'made', made: checked(parseTraceSpec(text)) });
      continue;
    }
    const path = resolve(io.cwd, text);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || found.isDirectory())
      throw usageFailure(
        `--trace ${text}: ${found === undefined ? 'no such file' : 'expected a file, got a folder'}`,
        `name a CSV or JSONL file, or make a trace: ${traceKinds.join(', ')}, e.g. --trace poisson:rate=200`,
      );
    traces.push({ kind: 'file', file: text, path, bytes: found.size });
  }
  return traces;
}

/** What traces do to the backends besides sending requests. */
export function backendsUnder(traces: readonly Trace[], backends: readonly SimulatedBackend[]): readonly SimulatedBackend[] {
  return traces.reduce((all, trace) => (trace.kind === 'made' ? checked(slowedBackends(trace.made, all)) : all), backends);
}

/** A trace being read; several policies read it each from its beginning. */
export interface OpenTrace {
  readonly source: ArrivalSource;
  /** Columns of a file that mean nothing here. */
  readonly ignored: () => readonly string[];
  close(): void;
}

export function openTrace(trace: Trace, seed: number, index: number): OpenTrace {
  if (trace.kind === 'made') return { source: new MadeSource(trace.made.arrivals(seed, index)), ignored: () => [], close: () => undefined };
  const stream = createReadStream(trace.path, { encoding: 'utf8' });
  const source = new FileSource(pieces(stream), randomStream(seed, 2 * index));
  return { source, ignored: () => source.file.ignored, close: () => void stream.destroy() };
}

async function* pieces(stream: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const piece of stream) yield String(piece);
}

/** A file's problems are the person's to mend: file, line, what was expected. */
export function traceFailure(error: unknown, traces: readonly Trace[]): unknown {
  if (!(error instanceof TraceProblem)) return error;
  const files = traces.flatMap((trace) => (trace.kind === 'file' ? [trace.file] : []));
  return usageFailure(
    `--trace ${files.join(', ')}: ${error.message}`,
    'a row needs a time alone (timeMs, or timestamp in seconds); tenant, tier, priority, rows, deadlineMs and model may stand beside it',
  );
}
