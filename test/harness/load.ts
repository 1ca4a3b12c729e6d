import { statusName } from '@headrace/runtime';
import type { StatusName } from '@headrace/runtime';
import type { Channel, Metadata, UnaryOutcome } from '@headrace/wire';

export interface LoadOptions {
  readonly channel: Channel;
  /** "/package.Service/Method" */
  readonly path: string;
  /** The message of the nth call, from 0; made anew for each, because the transport keeps it. */
  readonly message: (call: number) => Buffer;
  /** Of all calls, or of the nth. */
  readonly metadata?: Metadata | ((call: number) => Metadata);
  /** Calls in flight at once: the next begins when one ends (closed loop). */
  readonly concurrency: number;
  /** The load ends after so many calls, */
  readonly calls: number;
  /** ... or this long after it began, whichever comes first. Default 60 s. */
  readonly forMs?: number;
  /** Per call; default 10 s, so that a server that hangs shows as DEADLINE_EXCEEDED and not as a test that never ends. */
  readonly timeoutMs?: number;
  /** Sees every outcome with the call's number. */
  readonly onOutcome?: (outcome: UnaryOutcome, call: number) => void;
}

export interface LoadResult {
  readonly sent: number;
  readonly ok: number;
  readonly failures: ReadonlyMap<StatusName, number>;
  /** Of successful calls, sorted. */
  readonly latenciesMs: readonly number[];
  readonly tookMs: number;
}

export interface RunningLoad {
  /** Sends no further call; those in flight are awaited. */
  stop(): void;
  readonly done: Promise<LoadResult>;
}

const defaultForMs = 60_000;
const defaultTimeoutMs = 10_000;

/** A bounded closed-loop load on one channel. */
export function startLoad(options: LoadOptions): RunningLoad {
  const beganMs = performance.now();
  const endMs = beganMs + (options.forMs ?? defaultForMs);
  const failures = new Map<StatusName, number>();
  const latenciesMs: number[] = [];
  let sent = 0;
  let inFlight = 0;
  let stopped = false;

  const done = new Promise<LoadResult>((resolve) => {
    const finish = (): void => {
      latenciesMs.sort((a, b) => a - b);
      resolve({ sent, ok: latenciesMs.length, failures, latenciesMs, tookMs: performance.now() - beganMs });
    };
    const next = (): void => {
      const nowMs = performance.now();
      if (stopped || sent >= options.calls || nowMs >= endMs) {
        if (inFlight === 0) finish();
        return;
      }
      const call = sent++;
      inFlight++;
      const deadlineMs = nowMs + (options.timeoutMs ?? defaultTimeoutMs);
      const metadata = typeof options.metadata === 'function' ? options.metadata(call) : options.metadata;
      const callOptions = { deadlineMs, ...(metadata === undefined ? {} : { metadata }) };
      options.channel.unary(options.path, options.message(call), callOptions, (outcome) => {
        inFlight--;
        if (outcome.ok) latenciesMs.push(performance.now() - nowMs);
        else count(failures, statusName(outcome.status.code));
        options.onOutcome?.(outcome, call);
        next();
      });
    };
    for (let lane = 0; lane < options.concurrency; lane++) next();
  });
  return { stop: () => void (stopped = true), done };
}

/** Nearest rank, e.g. quantile([1,2,3,4], 0.5) is 2. NaN of nothing. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

function count(failures: Map<StatusName, number>, name: StatusName): void {
  failures.set(name, (failures.get(name) ?? 0) + 1);
}
