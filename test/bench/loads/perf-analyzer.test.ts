import { expect, it } from 'vitest';
import { parseReport } from './perf-analyzer.js';

it('reads the figures by the names of their columns', () => {
  const csv = 'Concurrency,Inferences/Second,Client Send,p50 latency,p90 latency,p95 latency,p99 latency\n64,5000.5,1,12000,0,0,20500\n';
  expect(parseReport(csv)).toEqual({ requestsPerS: 5000.5, p50Ms: 12, p99Ms: 20.5 });
});

it('says so when a column is gone', () => {
  expect(() => parseReport('Concurrency\n64\n')).toThrow('no column "Inferences/Second"');
});
