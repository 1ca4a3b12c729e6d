import { makeCertificates } from '@headrace/wire/testing';
import type { TestCertificates } from '@headrace/wire/testing';
import { systemClock } from '@headrace/runtime';
import { http2Transport, statusToRefusal, Metadata } from '@headrace/wire';
import type { Channel } from '@headrace/wire';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { modelFolder } from '../harness/model-folder.js';
import { fp32Bytes, inferMessage, inferPath, paths, runCommand, startGateway, startInference, tempDir } from '../harness/index.js';
import type { RunningGateway, RunningServer, TempDir } from '../harness/index.js';
import { until } from '../harness/until.js';

const message = inferMessage('identity_float', [{ name: 'x', datatype: 'FP32', shape: [1, 4], raw: fp32Bytes([1, 2, 3, 4]) }]);

/** In the certificate of TestCertificates.client. */
const clientUri = 'spiffe://test.example/ns/default/sa/client';

/** Mutual TLS: who asks is what the verified certificate says, whatever the metadata says beside it. */
describe('a traffic policy with client certificates', { timeout: 120_000 }, () => {
  let folder: TempDir;
  let models: TempDir;
  let certificates: TestCertificates;
  let inference: RunningServer;
  let gateway: RunningGateway;
  const channels: Channel[] = [];
  beforeAll(async () => {
    folder = await tempDir('certificates');
    models = await modelFolder('identity_float');
    certificates = await makeCertificates();
    inference = await startInference({ models: models.path });
    const { server, authorityFile } = certificates;
    const args = ['--tls-cert', server.certificateFile, '--tls-key', server.keyFile, '--tls-client-ca', authorityFile];
    const trafficPolicy = {
      identity: [{ clientCertificate: 'uri' }],
      requireIdentity: true,
      tiers: [
        { name: 'gold', requestsPerSecond: 0.001, burst: 5 },
        { name: 'free', requestsPerSecond: 0.001, burst: 1 },
      ],
      tenants: [
        { name: clientUri, tier: 'gold' },
        { name: 'acme', tier: 'gold' },
      ],
      defaultTier: 'free',
    };
    const table = { backends: [{ name: 'server', address: inference.address }], trafficPolicy };
    gateway = await startGateway({ table, folder: folder.path, args });
  });
  afterAll(async () => {
    for (const channel of channels) channel.close();
    await gateway.process.stop();
    await inference.process.stop();
    certificates.remove();
    await models.remove();
    await folder.remove();
  });

  function open(client: TestCertificates['client']): Channel {
    const tls = { authorityFile: certificates.authorityFile, ...client };
    const channel = http2Transport(systemClock).openChannel(gateway.address, { tls });
    channels.push(channel);
    return channel;
  }
  const send = (channel: Channel, metadata: Readonly<Record<string, string>> = {}): Promise<string> =>
    new Promise((resolve) => {
      channel.unary(inferPath, message, { deadlineMs: systemClock.nowMs() + 10_000, metadata: Metadata.of(metadata) }, (outcome) =>
        resolve(outcome.ok ? 'OK' : statusToRefusal(outcome.status).reason),
      );
    });

  test('counts for the name in the certificate, over all connections', async () => {
    const [one, two] = [open(certificates.client), open(certificates.client)];
    const claimed = { 'x-headrace-tenant': 'acme', authorization: 'Bearer whatever' };
    await until('the backend', async () => (await send(one)) === 'OK');
    const reasons: string[] = [];
    for (let i = 0; i < 3; i++) reasons.push(await send(one, claimed), await send(two));
    expect(reasons).toEqual(['OK', 'OK', 'OK', 'OK', 'RATE_LIMITED', 'RATE_LIMITED']);
    const { certificateFile, keyFile } = certificates.client;
    const tls = ['--tls-ca', certificates.authorityFile, '--tls-cert', certificateFile, '--tls-key', keyFile];
    const limits = await runCommand(process.execPath, [
      paths.cliMain,
      'limits',
      '--json',
      '--once',
      '--interval',
      '0.1',
      '--address',
      gateway.address,
      ...tls,
    ]);
    expect(JSON.parse(limits.stdout)).toMatchObject({
      tenants: [
        { tenant: clientUri, tier: 'gold' },
        { tenant: 'acme', inFlight: 0 },
      ],
    });
  });

  test('hears nobody whose certificate somebody else signed', async () => {
    expect(await send(open(certificates.stranger))).not.toBe('OK');
  });
});
