import { quantile } from '../../harness/load.js';

export interface Latencies {
  readonly count: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Of h2load's --log-file: "start us since 1970 \t HTTP status \t us until the end of the response", a line per request. */
export function readH2loadLog(text: string): Latencies {
  const elapsedMs: number[] = [];
  let failed = 0;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, status, elapsedUs] = line.split('\t');
    if (status === '200') elapsedMs.push(Number(elapsedUs) / 1000);
    else failed++;
  }
  elapsedMs.sort((a, b) => a - b);
  return {
    count: elapsedMs.length,
    failed,
    p50Ms: quantile(elapsedMs, 0.5),
    p99Ms: quantile(elapsedMs, 0.99),
    maxMs: elapsedMs.at(-1) ?? Number.NaN,
  };
}

/** Bytes of DATA frames that came back, from "traffic: 1.2MB (1258291) total, ... 800KB (819200) data". */
export function dataBytes(output: string): number {
  return Number(/\((\d+)\) data$/m.exec(output)?.[1] ?? Number.NaN);
}
