import { setTimeout as sleep } from 'node:timers/promises';
import { metadataKey } from '@headrace/proto';
import { statusName, systemClock } from '@headrace/runtime';
import { http2Transport, statusToRefusal } from '@headrace/wire';
import type { Channel, Metadata, UnaryOutcome } from '@headrace/wire';
import { quantile } from '../../harness/load.js';
import { inferPath } from './grpc-client.js';

/** Requests of one kind, sent at a fixed rate whatever becomes of them. */
export interface Offered {
  readonly name: string;
  readonly perS: number;
  /** Sent in turn. */
  readonly messages: readonly Buffer[];
  readonly metadata?: Metadata;
  /** The gRPC deadline, after which an answer is worth nothing. */
  readonly timeoutMs: number;
  /** Index into `addresses`; absent: all in turn. */
  readonly at?: number;
}

export interface OpenLoadOptions {
  readonly addresses: readonly string[];
  readonly offered: readonly Offered[];
  /** Before anything counts: until queues are as full as they get. */
  readonly leadMs: number;
  readonly durationMs: number;
  /** Called once, when counting begins. */
  readonly onCounting?: () => void;
}

/** Of the requests that were sent while it counted. */
export interface OfferedResult {
  readonly sent: number;
  readonly inTime: number;
  /** In-time answers that came while it counted, per second: without what came after the load had ended. */
  readonly goodputPerS: number;
  readonly sentPerS: number;
  /** When those answers came, in ms since counting began. */
  readonly answeredAtMs: readonly number[];
  /** By reason, or by gRPC status where there is none. */
  readonly failures: ReadonlyMap<string, number>;
  /** Of what was answered in time. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const tickMs = 1;
/** A server takes a thousand calls at once on a connection: what is above that would wait here, and not there. */
const callsPerChannel = 500;
const fewestChannels = 4;
/** A generator that falls behind offers less than it says. */
const leastSentShare = 0.95;

/** An open loop: what is due is sent every millisecond, however many are under way. */
export async function runOpenLoad(options: OpenLoadOptions): Promise<ReadonlyMap<string, OfferedResult>> {
  const transport = http2Transport(systemClock);
  // Each kind on connections of its own, as callers have them who know nothing of each other.
  const open = ({ perS, timeoutMs, at }: Offered): readonly Channel[] => {
    const addresses = at === undefined ? options.addresses : options.addresses.slice(at, at + 1);
    const count = Math.max(fewestChannels, Math.ceil((perS * timeoutMs) / 1000 / callsPerChannel));
    return Array.from({ length: count }).flatMap(() => addresses.map((address) => transport.openChannel(address, {})));
  };
  const beganMs = performance.now();
  const window = { fromMs: beganMs + options.leadMs, toMs: beganMs + options.leadMs + options.durationMs };
  const streams = options.offered.map((offered) => new OfferedStream(offered, open(offered), beganMs, window));
  try {
    let counting = false;
    for (let nowMs = performance.now(); nowMs < window.toMs; nowMs = performance.now()) {
      if (!counting && nowMs >= window.fromMs) {
        counting = true;
        options.onCounting?.();
      }
      for (const stream of streams) stream.sendDue(nowMs);
      await sleep(tickMs);
    }
    await Promise.all(streams.map((stream) => stream.ended()));
    return new Map(streams.map((stream) => [stream.name, stream.result()]));
  } finally {
    for (const stream of streams) stream.close();
  }
}

interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

class OfferedStream {
  readonly #offered: Offered;
  readonly #channels: readonly Channel[];
  readonly #beganMs: number;
  readonly #window: Window;
  readonly #failures = new Map<string, number>();
  readonly #latenciesMs: number[] = [];
  #all = 0;
  #underWay = 0;
  #sent = 0;
  readonly #answeredAtMs: number[] = [];
  #onEnded: (() => void) | undefined;

  constructor(offered: Offered, channels: readonly Channel[], beganMs: number, window: Window) {
    this.#offered = offered;
    this.#channels = channels;
    this.#beganMs = beganMs;
    this.#window = window;
  }

  get name(): string {
    return this.#offered.name;
  }

  sendDue(nowMs: number): void {
    const due = ((nowMs - this.#beganMs) * this.#offered.perS) / 1000;
    while (this.#all < due) this.#send();
  }

  /** All have ended. */
  ended(): Promise<void> {
    if (this.#underWay === 0) return Promise.resolve();
    return new Promise((resolve) => void (this.#onEnded = resolve));
  }

  close(): void {
    for (const channel of this.#channels) channel.close();
  }

  result(): OfferedResult {
    const seconds = (this.#window.toMs - this.#window.fromMs) / 1000;
    const { perS, name } = this.#offered;
    const sentPerS = this.#sent / seconds;
    if (sentPerS < perS * leastSentShare)
      throw new Error(`${name}: the load generator sent ${sentPerS.toFixed(0)} requests/s instead of ${perS.toFixed(0)}`);
    this.#latenciesMs.sort((a, b) => a - b);
    return {
      sent: this.#sent,
      inTime: this.#latenciesMs.length,
      goodputPerS: this.#answeredAtMs.length / seconds,
      answeredAtMs: this.#answeredAtMs,
      sentPerS,
      failures: this.#failures,
      p50Ms: quantile(this.#latenciesMs, 0.5),
      p99Ms: quantile(this.#latenciesMs, 0.99),
    };
  }

  #send(): void {
    const { messages, metadata, timeoutMs } = this.#offered;
    const number = this.#all++;
    const message = messages[number % messages.length];
    const channel = this.#channels[number % this.#channels.length];
    if (message === undefined || channel === undefined) throw new Error(`${this.name}: nothing to send, or nowhere`);
    const sentMs = performance.now();
    const counts = sentMs >= this.#window.fromMs;
    if (counts) this.#sent++;
    this.#underWay++;
    const options = { deadlineMs: systemClock.nowMs() + timeoutMs, ...(metadata === undefined ? {} : { metadata }) };
    channel.unary(inferPath, message, options, (outcome) => {
      this.#over(outcome, sentMs, counts);
      this.#underWay--;
      if (this.#underWay === 0) this.#onEnded?.();
    });
  }

  #over(outcome: UnaryOutcome, sentMs: number, counts: boolean): void {
    const nowMs = performance.now();
    const inTime = outcome.ok && nowMs - sentMs <= this.#offered.timeoutMs;
    if (inTime && nowMs >= this.#window.fromMs && nowMs < this.#window.toMs) this.#answeredAtMs.push(nowMs - this.#window.fromMs);
    if (!counts) return;
    if (inTime) this.#latenciesMs.push(nowMs - sentMs);
    else {
      const why = outcome.ok ? 'late' : failureReason(outcome);
      this.#failures.set(why, (this.#failures.get(why) ?? 0) + 1);
    }
  }
}

/** Headrace says a reason; of another server there is its gRPC status. */
export function failureReason({ status }: Extract<UnaryOutcome, { ok: false }>): string {
  return status.trailers?.getBinary(metadataKey.statusDetails) === undefined ? statusName(status.code) : statusToRefusal(status).reason;
}

/** E.g. "DEADLINE_UNREACHABLE 1,204, QUEUE_FULL 3", the most frequent first; of nothing "". */
export function failureText(failures: ReadonlyMap<string, number>): string {
  const sorted = [...failures].toSorted(([, a], [, b]) => b - a);
  return sorted.map(([reason, count]) => `${reason} ${count.toLocaleString('en-US')}`).join(', ');
}
