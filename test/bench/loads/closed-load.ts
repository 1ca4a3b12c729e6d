import { systemClock } from '@headrace/runtime';
import { http2Transport } from '@headrace/wire';
import { startLoad } from '../../harness/load.js';
import type { Metadata } from '@headrace/wire';
import { inferPath } from './grpc-client.js';

export interface ClosedLoadOptions {
  readonly address: string;
  readonly messages: readonly Buffer[];
  readonly inFlight: number;
  readonly durationMs: number;
  /** Absent: no end but the duration's. */
  readonly calls?: number;
  /** Of the nth call. */
  readonly metadata?: (call: number) => Metadata;
}

export interface Answers {
  readonly count: number;
  readonly perS: number;
}

/** What a server can do: a closed loop on the client that the open loads have. A failed request fails it. */
export async function closedLoad(options: ClosedLoadOptions): Promise<Answers> {
  const { address, messages, inFlight, durationMs, calls = Infinity, metadata } = options;
  const channel = http2Transport(systemClock).openChannel(address, {});
  try {
    const { ok, sent, tookMs, failures } = await startLoad({
      channel,
      path: inferPath,
      message: (call) => messages[call % messages.length] ?? Buffer.alloc(0),
      concurrency: inFlight,
      calls,
      forMs: durationMs,
      timeoutMs: 60_000,
      ...(metadata === undefined ? {} : { metadata }),
    }).done;
    if (ok < sent) throw new Error(`${sent - ok} of ${sent} requests failed: ${[...failures.keys()].join(', ')}`);
    return { count: ok, perS: (ok * 1000) / tookMs };
  } finally {
    channel.close();
  }
}
