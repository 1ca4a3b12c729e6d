import { healthService } from '@headrace/proto';
import { refuse } from '@headrace/runtime';
import type { UnaryCall, WireServer } from '../port.js';
import { refusalToStatus } from '../status.js';
import { malformedRequest, requestedService } from './request.js';
import type { HealthSource, HealthState } from './source.js';
import { WatchBook } from './watch.js';

export interface HealthOptions {
  /** Open Watch streams on this server; above it new ones get RESOURCE_EXHAUSTED. Default 1,024. */
  readonly maxWatchers?: number;
}

/** health.proto: a server may refuse to list more than this. */
const maxListed = 100;

/**
 * grpc.health.v1 (grpc/doc/health-checking.md): Check answers NOT_FOUND for an unknown service, Watch answers
 * SERVICE_UNKNOWN and goes on watching. Watches end when the server drains. Call it before listen.
 */
export function registerHealth(server: WireServer, source: HealthSource, options: HealthOptions = {}): void {
  const { Check, List } = healthService.methods;
  server.register({
    kind: 'unary',
    path: Check.path,
    handle: (message, call) => check(message, call, source),
  });
  const watches = new WatchBook(source, options.maxWatchers ?? 1_024);
  server.register({ kind: 'stream', path: healthService.methods.Watch.path, handle: (call) => watches.open(call) });
  server.onDrain(() => watches.endAll());
  if (source.list !== undefined) server.register({ kind: 'unary', path: List.path, handle: (_message, call) => list(call, source) });
}

function check(message: Buffer, call: UnaryCall, source: HealthSource): void {
  const service = requestedService(message);
  if (service === undefined) return call.fail(malformedRequest());
  const status = source.check(service);
  if (status === undefined) return call.fail(refusalToStatus(refuse('MODEL_NOT_FOUND', `unknown service ${JSON.stringify(service)}`)));
  call.reply(healthService.methods.Check.response.encode({ status }));
}

function list(call: UnaryCall, source: HealthSource): void {
  const statuses: Record<string, { status: HealthState }> = {};
  let count = 0;
  for (const service of source.list?.() ?? []) {
    if (++count > maxListed) return call.fail(refusalToStatus(refuse('QUEUE_FULL', `more than ${maxListed} services; use Check`)));
    const status = source.check(service);
    if (status !== undefined) statuses[service] = { status };
  }
  call.reply(healthService.methods.List.response.encode({ statuses }));
}
