import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What /metrics shows: a MetricsRegistry, or those of several processes merged. */
export interface MetricsSource {
  readonly contentType: string;
  exposition(): Promise<string>;
}

export interface MetricsServerOptions {
  readonly registry: MetricsSource;
  /** Loopback unless told otherwise: metrics name models and tell load. */
  readonly host?: string;
  /** 0: picked by the kernel. */
  readonly port: number;
  /** Whether the process should get new traffic. */
  readonly ready: () => boolean;
  /** Whether the process works at all; default: it answers, so it lives. */
  readonly live?: () => boolean;
}

export interface MetricsServer {
  readonly host: string;
  readonly port: number;
  /** Stops listening and closes idle connections; resolves when the last answer is out. */
  close(): Promise<void>;
}

const text = 'text/plain; charset=utf-8';

/**
 * GET /metrics, /livez and /readyz over HTTP/1.1. Bounded: 64 connections, 8 KiB of headers, no bodies, one scrape
 * computed at a time (later ones share it). Rejects with Node's own error (code EADDRINUSE, EACCES) if it cannot listen.
 */
export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const scrape = sharedScrape(options.registry);
  const server = createServer(
    { maxHeaderSize: 8 * 1024, headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 30_000 },
    (request, response) => {
      request.resume();
      void answer(request, response, options, scrape);
    },
  );
  server.maxConnections = 64;
  server.on('clientError', (_error, socket) => socket.destroy());
  await listening(server, options.port, options.host ?? '127.0.0.1');
  const address = server.address() as AddressInfo;
  return { host: address.address, port: address.port, close: async () => closed(server) };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: MetricsServerOptions,
  scrape: () => Promise<string>,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return send(response, 405, text, 'only GET and HEAD\n');
  }
  const path = (request.url ?? '').split('?', 1)[0];
  switch (path) {
    case '/metrics':
      try {
        return send(response, 200, options.registry.contentType, await scrape());
      } catch {
        return send(response, 500, text, 'a metric could not be read\n');
      }
    case '/livez':
      return probe(response, options.live?.() ?? true);
    case '/readyz':
      return probe(response, options.ready());
    default:
      return send(response, 404, text, 'try /metrics, /livez or /readyz\n');
  }
}

function probe(response: ServerResponse, well: boolean): void {
  send(response, well ? 200 : 503, text, well ? 'ok\n' : 'not ready\n');
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { 'content-type': contentType, 'content-length': bytes.length, 'cache-control': 'no-store' });
  response.end(bytes);
}

function sharedScrape(registry: MetricsSource): () => Promise<string> {
  let running: Promise<string> | undefined;
  return async () => {
    running ??= registry.exposition().finally(() => {
      running = undefined;
    });
    return running;
  };
}

async function listening(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function closed(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    // Closes idle connections too (Node 19 and later).
    server.close(() => resolve());
  });
}
