import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, paths, startGateway, startInference, startProcess, tableText, tempDir } from '../harness/index.js';
import type { RunningServer, TempDir } from '../harness/index.js';

describe('headrace-gateway', () => {
  let folder: TempDir;
  let inference: RunningServer;
  beforeAll(async () => {
    folder = await tempDir('gateway-flags');
    inference = await startInference();
  });
  afterAll(async () => {
    await inference.process.stop();
    await folder.remove();
  });

  test('serves without a metrics port where --metrics-port is off', async () => {
    const table = { backends: [{ name: 'a', address: inference.address }] };
    const gateway = await startGateway({ table, folder: folder.path, args: ['--metrics-port', 'off'] });
    expect(gateway.metricsPort).toBeUndefined();
    expect(await gateway.process.stop()).toEqual({ code: 0, signal: null });
  });

  test('drains at once when it is told to before any backend was ready', async () => {
    const config = join(folder.path, 'nobody.yaml');
    await writeFile(config, tableText({ backends: [{ name: 'nobody', address: `127.0.0.1:${await freePort()}` }] }));
    const args = [paths.gatewayMain, '--config', config, '--grpc-port', '0', '--metrics-port', 'off', '--announce'];
    const gateway = await startProcess(process.execPath, args);
    await gateway.announced('where it listens', (line) => (line as { readonly event: string }).event === 'listening' || undefined);
    expect(await gateway.stop(10_000)).toEqual({ code: 0, signal: null });
    expect(gateway.stdout).toMatch(/^[^\n]*"listening"[^\n]*\n$/);
  });
});
