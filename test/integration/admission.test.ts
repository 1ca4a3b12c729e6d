import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { cp, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { startStandInBackend } from '@headrace/gateway/testing';
import type { StandInBackend } from '@headrace/gateway/testing';
import { inferenceService } from '@headrace/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GrpcJsClient, fp32Bytes, paths, runCommand, startGateway, startInference, tableText, tempDir } from '../harness/index.js';
import type { CallSettings, CommandResult, Reply, RunningGateway, RunningServer, TableBody, TempDir } from '../harness/index.js';
import { scrape } from '../harness/scrape.js';
import { until } from '../harness/until.js';

const { ModelInfer, ModelStreamInfer } = inferenceService.methods;
const hour = 3_600;
const issuer = 'https://id.example.com';
const es256 = (): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keys = es256();
const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');

/** A signed token (RFC 7519), written by hand so that no library of the gateway's is in it. */
function token(claims: Readonly<Record<string, unknown>>, key = keys.privateKey): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const nowS = Math.floor(Date.now() / 1000);
  const signed = `${part({ alg: 'ES256', kid: 'k1' })}.${part({ iss: issuer, iat: nowS, exp: nowS + hour, ...claims })}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

const request = (model: string) => ({
  model_name: model,
  inputs: [{ name: 'x', datatype: 'FP32', shape: ['1', '4'] }],
  raw_input_contents: [fp32Bytes([1, 2, 3, 4])],
});

describe('a traffic policy', { timeout: 120_000 }, () => {
  let folder: TempDir;
  let inference: RunningServer;
  let standIn: StandInBackend;
  let gateway: RunningGateway;
  let client: GrpcJsClient;

  const policy = (more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
    identity: [
      { jwt: { issuer, tierClaim: 'tier', jwksFile: join(folder.path, 'jwks.json') } },
      { apiKeys: { file: join(folder.path, 'keys.yaml'), header: 'x-api-key' } },
      { header: 'x-headrace-tenant', trustHeader: true },
    ],
    tiers: [
      { name: 'gold', weight: 8, requestsPerSecond: 1000, burst: 1000 },
      { name: 'free', requestsPerSecond: 0.01, burst: 3, maxPriority: 3, defaultPriority: 3, deadlineMilliseconds: 30_000 },
    ],
    tenants: [{ name: 'acme', tier: 'gold' }],
    defaultTier: 'free',
    ...more,
  });
  const table = (trafficPolicy: Record<string, unknown>): TableBody => ({
    backends: [
      { name: 'server', address: inference.address },
      { name: 'stand-in', address: standIn.address },
    ],
    models: [{ name: 'first', fallback: 'second' }, { name: 'second' }],
    trafficPolicy,
  });
  const replace = async (file: string, text: string): Promise<void> => {
    await writeFile(`${file}.new`, text);
    await rename(`${file}.new`, file);
  };
  const writeKeys = (...entries: readonly { readonly tenant: string; readonly key: string; readonly tier?: string }[]): Promise<void> => {
    const lines = entries.map(({ tenant, tier, key }) =>
      JSON.stringify({ tenant, ...(tier === undefined ? {} : { tier }), sha256: sha256(key) }),
    );
    return replace(join(folder.path, 'keys.yaml'), `keys: [${lines.join()}]\n`);
  };

  beforeAll(async () => {
    folder = await tempDir('admission');
    for (const name of ['first', 'second'])
      await cp(join(paths.models, 'identity_float'), join(folder.path, 'models', name), { recursive: true });
    await writeKeys({ tenant: 'keyed', key: 'old-key' });
    const jwk = { ...keys.publicKey.export({ format: 'jwk' }), alg: 'ES256', kid: 'k1' };
    await writeFile(join(folder.path, 'jwks.json'), JSON.stringify({ keys: [jwk] }));
    inference = await startInference({ models: join(folder.path, 'models') });
    standIn = await startStandInBackend({
      models: [{ name: 'slow', overheadMs: 20, maxBatchRows: 0, inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }] }],
    });
    gateway = await startGateway({ table: table(policy()), folder: folder.path });
    client = new GrpcJsClient(gateway.address);
    await until('both backends', async () => (await reasonOf('slow', { 'x-headrace-tenant': 'acme' })) === 'OK');
    await until('both backends', async () => (await reasonOf('first', { 'x-headrace-tenant': 'acme' })) === 'OK');
  });
  afterAll(async () => {
    client.close();
    expect(await gateway.process.stop()).toEqual({ code: 0, signal: null });
    await inference.process.stop();
    await standIn.kill();
    await folder.remove();
  });

  const infer = (model: string, metadata: Readonly<Record<string, string>>, more: CallSettings = {}): Promise<Reply<unknown>> =>
    client.call(ModelInfer, request(model), { metadata, ...more });
  const failure = (model: string, metadata: Readonly<Record<string, string>>): Promise<ServiceError> =>
    infer(model, metadata).then(
      () => {
        throw new Error('expected a refusal');
      },
      (error: unknown) => error as ServiceError,
    );
  const details = (error: ServiceError): Buffer => error.metadata.get('grpc-status-details-bin')[0] as Buffer;
  /** OK, or the reason of the ErrorInfo. */
  async function reasonOf(model: string, metadata: Readonly<Record<string, string>>): Promise<string> {
    try {
      await infer(model, metadata);
      return 'OK';
    } catch (error) {
      return /google\.rpc\.ErrorInfo[^A-Z]*([A-Z_]+)/.exec(details(error as ServiceError).toString('latin1'))?.[1] ?? String(error);
    }
  }
  const many = (count: number, metadata: Readonly<Record<string, string>>, model = 'first'): Promise<string[]> =>
    Promise.all(Array.from({ length: count }, () => reasonOf(model, metadata)));
  const tally = (reasons: readonly string[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const reason of reasons) counts[reason] = (counts[reason] ?? 0) + 1;
    return counts;
  };
  const headrace = (...args: readonly string[]): Promise<CommandResult> =>
    runCommand(process.execPath, [paths.cliMain, ...args, '--address', gateway.address], {
      env: { NO_COLOR: '1', FORCE_COLOR: undefined },
    });

  test('gives each tenant its own rate, two at once', async () => {
    const [acme, visitor, other] = await Promise.all([
      many(50, { 'x-headrace-tenant': 'acme' }),
      many(50, { 'x-headrace-tenant': 'visitor' }),
      many(2, { 'x-headrace-tenant': 'other' }),
    ]);
    expect([tally(acme), tally(visitor), tally(other)]).toEqual([{ OK: 50 }, { OK: 3, RATE_LIMITED: 47 }, { OK: 2 }]);
  });

  test('refuses with all that a client needs', async () => {
    await many(3, { 'x-headrace-tenant': 'told' });
    const error = await failure('first', { 'x-headrace-tenant': 'told', 'x-request-id': 'told-1' });
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(error.details).toBe('tier "free", requestsPerSecond: expected at most 0.01 after 3 at once, one more came');
    const pushbackMs = Number(error.metadata.get('grpc-retry-pushback-ms')[0]);
    expect(pushbackMs).toBeGreaterThan(90_000);
    expect(pushbackMs).toBeLessThanOrEqual(100_000);
    const text = details(error).toString('latin1');
    for (const part of ['google.rpc.ErrorInfo', 'RATE_LIMITED', 'headrace.dev', 'google.rpc.RetryInfo']) expect(text).toContain(part);
  });

  test('knows API keys, and takes a changed file', async () => {
    expect(await reasonOf('first', { 'x-api-key': 'old-key' })).toBe('OK');
    expect(await reasonOf('first', { 'x-api-key': 'no-key', 'x-request-id': 'no-key-1' })).toBe('UNAUTHENTICATED');
    expect((await headrace('explain', 'no-key-1')).stdout).toMatch(/^UNAUTHENTICATED after /);
    const streamed = client.stream(ModelStreamInfer, [request('first')], {
      metadata: { 'x-api-key': 'no-key', 'x-request-id': 'no-key-2' },
    });
    await expect(streamed).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    expect((await headrace('explain', 'no-key-2')).stdout).toMatch(/^UNAUTHENTICATED after /);
    // The header is believed only where nothing proves another.
    expect(await reasonOf('first', { 'x-api-key': 'no-key', 'x-headrace-tenant': 'acme' })).toBe('UNAUTHENTICATED');
    await writeKeys({ tenant: 'keyed', key: 'new-key' }, { tenant: 'rich', key: 'gold-key', tier: 'gold' });
    await until('the new key', async () => (await reasonOf('first', { 'x-api-key': 'gold-key' })) === 'OK');
    expect(await reasonOf('first', { 'x-api-key': 'old-key' })).toBe('UNAUTHENTICATED');
    // The same tenant: its quota is not new with its key.
    expect(tally(await many(5, { 'x-api-key': 'new-key' }))).toEqual({ OK: 2, RATE_LIMITED: 3 });
    expect(tally(await many(20, { 'x-api-key': 'gold-key' }))).toEqual({ OK: 20 });
  });

  test('knows tokens by their issuer, and what they say of a tier', async () => {
    const bearer = (text: string): Record<string, string> => ({ authorization: `Bearer ${text}` });
    expect(tally(await many(5, bearer(token({ sub: 'plain' }))))).toEqual({ OK: 3, RATE_LIMITED: 2 });
    expect(tally(await many(5, bearer(token({ sub: 'noble', tier: 'gold' }))))).toEqual({ OK: 5 });
    const bad = [
      token({ sub: 'acme', exp: Math.floor(Date.now() / 1000) - hour }),
      token({ sub: 'acme', iss: 'https://else.example.com' }),
      token({ sub: 'acme' }, es256().privateKey),
      `${token({ sub: 'acme' }).split('.').slice(0, 2).join('.')}.`,
    ];
    for (const each of bad) expect(await reasonOf('first', bearer(each))).toBe('UNAUTHENTICATED');
  });

  test('lowers a priority, says so, and tells the time of each stage to who asks', async () => {
    const urgent = { ...request('first'), parameters: { priority: { int64_param: '1' } } };
    const metadata = { 'x-headrace-tenant': 'hasty', 'x-headrace-stage-times': '1' };
    const { trailers } = await client.call(ModelInfer, urgent, { metadata });
    expect(trailers.get('x-headrace-lowered-priority')).toEqual(['1 -> 3']);
    expect(String(trailers.get('server-timing'))).toMatch(/^admission;dur=[\d.]+, queue;dur=[\d.]+, run;dur=[\d.]+, reply;dur=[\d.]+$/);
    const signed = { authorization: `Bearer ${token({ sub: 'acme' })}`, 'x-headrace-stage-times': '1' };
    const checked = await infer('first', signed);
    expect(String(checked.trailers.get('server-timing'))).toMatch(/^identity;dur=[\d.]+, admission;dur=/);
    // A token that holds is not checked again.
    expect(String((await infer('first', signed)).trailers.get('server-timing'))).toMatch(/^admission;dur=/);
    const quiet = await infer('first', { 'x-headrace-tenant': 'acme' });
    expect([quiet.trailers.get('server-timing'), quiet.trailers.get('x-headrace-lowered-priority')]).toEqual([[], []]);
  });

  test('is told by headrace limits and headrace explain', async () => {
    await many(3, { 'x-headrace-tenant': 'asked' });
    await reasonOf('first', { 'x-headrace-tenant': 'asked', 'x-request-id': 'asked-4' });
    await infer('first', { 'x-headrace-tenant': 'acme', 'x-request-id': 'acme-1' });

    const limits = await headrace('limits', '--once', '--interval', '0.1');
    expect(limits).toMatchObject({ code: 0 });
    expect(limits.stdout).toMatch(/quotas local \(enforced\)/);
    expect(limits.stdout).toMatch(/^ *acme +gold +[\d.,]+ of 1,?000/m);
    const one = await headrace('limits', 'asked', '--once', '--interval', '0.1', '--json');
    expect(JSON.parse(one.stdout)).toMatchObject({
      shadow: false,
      tenants: [{ tenant: 'asked', tier: 'free', requests: { limitPerSecond: 0.01 } }],
    });

    const why = await headrace('explain', 'asked-4');
    expect(why.stdout).toMatch(/^RATE_LIMITED after /);
    for (const line of [/tenant +asked \(free\)/, /why +tier "free", requestsPerSecond/, /retry +it would have come in \d+/])
      expect(why.stdout).toMatch(line);
    const fine = JSON.parse((await headrace('explain', 'acme-1', '--json')).stdout) as { requests: { stages: { name: string }[] }[] };
    expect(fine.requests[0]).toMatchObject({ reason: 'OK', model: 'first', tenant: 'acme', tier: 'gold', backend: 'server', attempts: 1 });
    expect(fine.requests[0]?.stages.map(({ name }) => name)).toEqual(['admission', 'queue', 'run', 'reply']);
    const unknown = await headrace('explain', 'never-sent');
    expect(unknown.code).not.toBe(0);
    expect(unknown.stderr).toContain('no request never-sent among the ');
  });

  test('lets another model answer while the first is unloaded', async () => {
    const acme = { 'x-headrace-tenant': 'acme' };
    expect(await headrace('unload', 'first')).toMatchObject({ code: 0 });
    await until('the unload', async () => String((await infer('first', acme)).trailers.get('x-headrace-fallback-model')) === 'second');
    const { message, trailers } = await infer('first', acme);
    expect([message, trailers.get('x-headrace-fallback-model')]).toMatchObject([{ model_name: 'second' }, ['second']]);
    expect(await headrace('load', 'first')).toMatchObject({ code: 0 });
    await until('the load', async () => (await infer('first', acme)).trailers.get('x-headrace-fallback-model').length === 0);
  });

  test('keeps to the last good policy when a bad one is written, and tells every mistake at once', async () => {
    const before = await scrape(gateway.metricsPort);
    const bad = policy({
      defaultTier: 'silver',
      tiers: [
        { name: 'gold', weight: 0 },
        { name: 'gold', burst: 3 },
      ],
      modus: 'Shadow',
    });
    await replace(gateway.tableFile, tableText(table(bad)));
    await until('the rejection', async () => {
      const now = await scrape(gateway.metricsPort);
      const rejected = { result: 'rejected' };
      return now.sum('headrace_gateway_table_reloads_total', rejected) > before.sum('headrace_gateway_table_reloads_total', rejected);
    });
    const log = gateway.process.stderr + gateway.process.stdout;
    for (const path of ['trafficPolicy.modus', 'trafficPolicy.tiers[0].weight']) expect(log).toContain(path);
    expect(tally(await many(4, { 'x-headrace-tenant': 'after-bad' }))).toEqual({ OK: 3, RATE_LIMITED: 1 });
  });

  test('refuses nothing in shadow mode, and counts what it would', async () => {
    await replace(gateway.tableFile, tableText(table(policy({ mode: 'Shadow' }))));
    await until('the reload', async () =>
      (await headrace('limits', '--once', '--interval', '0.1', '--json')).stdout.includes('"shadow":true'),
    );
    expect(tally(await many(20, { 'x-headrace-tenant': 'shadowed' }))).toEqual({ OK: 20 });
    const counted = await scrape(gateway.metricsPort);
    expect(counted.sum('headrace_gateway_shadow_refusals_total', { reason: 'RATE_LIMITED' })).toBeGreaterThanOrEqual(17);
    await replace(gateway.tableFile, tableText(table(policy())));
    await until('the reload', async () =>
      (await headrace('limits', '--once', '--interval', '0.1', '--json')).stdout.includes('"shadow":false'),
    );
  });

  test('does not fill the log with what it refuses', async () => {
    const written = (): number => gateway.process.stderr.length + gateway.process.stdout.length;
    const before = written();
    for (let i = 0; i < 10; i++) {
      await Promise.all([
        many(100, { 'x-headrace-tenant': 'visitor' }),
        many(100, { 'x-api-key': 'wrong' }),
        many(100, { 'x-headrace-tenant': 'acme' }, `invented-${i}`),
      ]);
    }
    // 3,000 refusals: lines of some of the 2,000 that are no fault of a limit, of 400 bytes each.
    expect(written() - before).toBeLessThan(200_000);
    const seen = await scrape(gateway.metricsPort);
    expect(seen.sum('headrace_gateway_requests_total', { reason: 'MODEL_NOT_FOUND', model: '(unknown)' })).toBe(1000);
    expect(seen.sum('headrace_gateway_requests_total', { reason: 'UNAUTHENTICATED' })).toBeGreaterThanOrEqual(1000);
  });
});

describe('a bad traffic policy at start', () => {
  test('is told with every mistake and its place, and nothing is served', async () => {
    const folder = await tempDir('bad-policy');
    const trafficPolicy = {
      identity: [{ header: 'x-headrace-tenant' }],
      tiers: [
        { name: 'free', requestsPerSecond: 1, burst: 2 },
        { name: 'free', burst: 3 },
      ],
      tenants: [{ name: 'acme', tier: 'gold' }],
      defaultTier: 'free',
    };
    const config = join(folder.path, 'table.yaml');
    await writeFile(config, tableText({ backends: [{ name: 'a', address: '127.0.0.1:1' }], trafficPolicy }));
    const { code, stderr } = await runCommand(process.execPath, [
      paths.gatewayMain,
      '--config',
      config,
      '--grpc-port',
      '0',
      '--metrics-port',
      'off',
    ]);
    expect(code).not.toBe(0);
    for (const path of ['identity[0]', 'tiers[1].name', 'tiers[1].burst', 'tenants[0].tier'])
      expect(stderr).toContain(`trafficPolicy.${path}`);
    await folder.remove();
  });
});
