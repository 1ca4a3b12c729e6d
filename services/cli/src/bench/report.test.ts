import pc from 'picocolors';
import { expect, test } from 'vitest';
import { LatencyRecorder } from './latency.js';
import type { BenchReport } from './report.js';
import { benchJson, describeBench, renderBench } from './report.js';

function report(count: number, more: Partial<BenchReport> = {}): BenchReport {
  const latency = new LatencyRecorder();
  for (let ms = 1; ms <= count; ms += 1) latency.record(ms);
  return {
    model: 'ranker',
    address: '127.0.0.1:8001',
    plan: { loop: { kind: 'closed', concurrency: 8 }, warmUpMs: 1000, durationMs: 10_000, maxRequests: Infinity },
    rows: 1,
    inputs: '64 random inputs, integers 0..1',
    transport: 'unary calls',
    result: { latency, lateness: new LatencyRecorder(), failures: new Map(), failed: 0, elapsedMs: 10_000 },
    ...more,
  };
}

const plain = pc.createColors(false);

test('the report of a closed loop', () => {
  expect(renderBench(report(2000, { rows: 4 }), plain)).toBe(`requests    2,000 answered, 0 failed, in 10.0 s
throughput  200 requests/s, 800 rows/s

LATENCY     p50     p90     p99   p99.9     max    mean
         1.00 s  1.80 s  1.98 s  2.00 s  2.00 s  1.00 s
`);
});

test('a percentile of too few values is not told', () => {
  const { latencyMs } = benchJson(report(100)) as { latencyMs: Record<string, number | null> };
  expect(latencyMs['p99']).toBeCloseTo(99, 0);
  expect(latencyMs['p99.9']).toBeNull();
  expect(renderBench(report(5), plain)).toContain('3.00 ms    -    -      -  5.00 ms  3.00 ms');
});

test('failures are listed, the most frequent first', () => {
  const failures = new Map([
    ['QUEUE_FULL', { count: 1, message: 'full\nsecond line' }],
    ['BACKEND_LOST', { count: 12, message: 'lost' }],
  ]);
  const base = report(100);
  expect(renderBench({ ...base, result: { ...base.result, failures, failed: 13 } }, plain)).toContain(`FAILURE       COUNT  FIRST MESSAGE
BACKEND_LOST     12  lost
QUEUE_FULL        1  full
`);
});

test('what was asked for is in the first line', () => {
  const base = report(1);
  expect(describeBench(base)).toBe(
    'ranker at 127.0.0.1:8001: closed loop, 8 at once, 10.0 s after 1.00 s of warm-up, unary calls, 64 random inputs, integers 0..1',
  );
  const open = { ...base, plan: { ...base.plan, loop: { kind: 'open', ratePerSecond: 250, maxInFlight: 9 } as const, maxRequests: 1000 } };
  expect(describeBench(open)).toContain('open loop, 250 arrivals/s (Poisson), 1,000 requests after');
});
