import type { Clock } from '@headrace/runtime';

export interface FetchLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/**
 * GET of a small document. A redirect is an error: it could lead from https to a place that nobody chose. Rejects with
 * what people should read.
 */
export async function fetchText(uri: string, clock: Clock, { timeoutMs, maxBytes }: FetchLimits): Promise<string> {
  const abort = new AbortController();
  const timer = clock.setTimer(() => abort.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  try {
    const response = await fetch(uri, { redirect: 'error', signal: abort.signal, headers: { accept: 'application/json' } });
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`expected HTTP status 200, got ${response.status}`);
    }
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      // Leaving the loop cancels the rest.
      if (bytes > maxBytes) throw new Error(`expected at most ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    timer.cancel();
  }
}
