import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, startTracing, systemClock } from '@headrace/runtime';
import { testTransport } from '@headrace/wire/testing/transport';
import type { Channel, Metadata, Transport, UnaryOutcome } from '@headrace/wire';
import { startGateway } from '../gateway.js';
import type { Gateway, GatewayOptions } from '../gateway.js';

export interface LocalGateway {
  readonly gateway: Gateway;
  readonly channel: Channel;
  readonly call: (path: string, message: Buffer, more?: { metadata?: Metadata; timeoutMs?: number }) => Promise<UnaryOutcome>;
  readonly infer: (message: Buffer, more?: { metadata?: Metadata; timeoutMs?: number }) => Promise<UnaryOutcome>;
  /** Replaces the table file by rename, as editors and Kubernetes do. */
  writeTable(table: unknown): Promise<void>;
  close(): Promise<void>;
}

/** A gateway in this process on ports of its own, with a client. `table` is the RoutingTable without apiVersion and kind. */
export async function startLocalGateway(table: Record<string, unknown>, options: Partial<GatewayOptions> = {}): Promise<LocalGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'headrace-gateway-'));
  const file = join(folder, 'table.yaml');
  const text = (value: unknown): string =>
    JSON.stringify(typeof value === 'object' ? { apiVersion: 'headrace.dev/v1alpha1', kind: 'RoutingTable', ...value } : value);
  await writeFile(file, text(table));
  const transport: Transport = options.transport ?? testTransport(systemClock);
  const gateway = await startGateway({
    configFile: file,
    host: '127.0.0.1',
    grpcPort: 0,
    metricsPort: undefined,
    adminIdentities: [],
    preStopMs: 0,
    version: 'test',
    clock: systemClock,
    logger: silentLogger,
    tracing: startTracing({ serviceName: 'test' }),
    transport,
    pace: { readyMs: 200, unreadyMs: 50, callTimeoutMs: 1000, detailsMs: 30_000 },
    ...options,
  });
  const channel = testTransport(systemClock).openChannel(`127.0.0.1:${gateway.grpcPort}`, {});
  const call: LocalGateway['call'] = (path, message, { metadata, timeoutMs = 10_000 } = {}) =>
    new Promise((resolve) => {
      channel.unary(
        path,
        message,
        { deadlineMs: systemClock.nowMs() + timeoutMs, ...(metadata === undefined ? {} : { metadata }) },
        resolve,
      );
    });
  return {
    gateway,
    channel,
    call,
    infer: (message, more) => call('/inference.GRPCInferenceService/ModelInfer', message, more),
    writeTable: async (next) => {
      await writeFile(`${file}.new`, typeof next === 'string' ? next : text(next));
      await rename(`${file}.new`, file);
    },
    close: async () => {
      channel.close();
      await gateway.drain(500);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
