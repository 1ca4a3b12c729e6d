import { systemClock } from '@headrace/runtime';
import { http2Transport } from '@headrace/wire';
import { startLoad } from '../../harness/load.js';
import { inferPath } from './grpc-client.js';

export interface ClosedLoadOptions {
  readonly address: string;
  readonly messages: readonly Buffer[];
  readonly inFlight: number;
  readonly durationMs: number;
}

/** What a server can do: answers per second of a closed loop, on the client that the open loads have. A failed request fails it. */
export async function answersPerSecond({ address, messages, inFlight, durationMs }: ClosedLoadOptions): Promise<number> {
  const channel = http2Transport(systemClock).openChannel(address, {});
  try {
    const message = (call: number): Buffer => messages[call % messages.length] ?? Buffer.alloc(0);
    const load = startLoad({ channel, path: inferPath, message, concurrency: inFlight, calls: Infinity, forMs: durationMs, timeoutMs: 60_000 });
    const { ok, sent, tookMs, failures } = await load.done;
    if (ok < sent) throw new Error(`${sent - ok} of ${sent} requests failed: ${[...failures.keys()].join(', ')}`);
    return (ok * 1000) / tookMs;
  } finally {
    channel.close();
  }
}
