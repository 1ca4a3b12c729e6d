import { setTimeout as sleep } from 'node:timers/promises';
import { silentLogger, systemClock } from '@headrace/runtime';
import { http2Transport } from '@headrace/wire';
import type { Channel, UnaryOutcome } from '@headrace/wire';
import { servedPaths } from './served-paths.js';

/** What a caller saw who only wants its answers. */
export interface BystanderReport {
  readonly event: 'bystander';
  /** Answered within the span. */
  readonly calls: number;
  readonly failures: readonly string[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Some 500 calls a second: enough of them for a p99, and no load that would be a second attack. */
const everyMs = 2;
const warmUpCalls = 200;
const message = Buffer.alloc(200, 0x62);

/** `node bystander-main.js PORT SECONDS`: calls at an even pace, whether or not earlier ones were answered, and prints a BystanderReport. */
const [port, seconds] = process.argv.slice(2).map(Number);
const channel = http2Transport(systemClock, silentLogger).openChannel(`127.0.0.1:${port}`, {});
for (let each = 0; each < warmUpCalls; each++) await call(channel);
const latenciesMs: number[] = [];
const failures: string[] = [];
const open = new Set<Promise<void>>();
const startMs = performance.now();
const endMs = startMs + (seconds ?? 1) * 1_000;
for (let due = startMs; due < endMs; due += everyMs) {
  const waitMs = due - performance.now();
  if (waitMs > 0) await sleep(waitMs);
  const asked = ask().finally(() => open.delete(asked));
  open.add(asked);
}
const calls = latenciesMs.length;
await Promise.all(open);
const sorted = latenciesMs.toSorted((one, other) => one - other);
const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
const report: BystanderReport = { event: 'bystander', calls, failures, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
process.stdout.write(`${JSON.stringify(report)}\n`);
channel.close();

async function ask(): Promise<void> {
  const sentMs = performance.now();
  const outcome = await call(channel);
  latenciesMs.push(performance.now() - sentMs);
  if (!outcome.ok) failures.push(outcome.status.message);
  else if (outcome.message.length !== message.length) failures.push('another message came back');
}

function call(over: Channel): Promise<UnaryOutcome> {
  return new Promise((resolve) => {
    over.unary(servedPaths.echo, message, { deadlineMs: systemClock.nowMs() + 10_000, waitForReady: true }, resolve);
  });
}
