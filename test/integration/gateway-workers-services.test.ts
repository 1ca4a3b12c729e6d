import { readFile, rename, writeFile } from 'node:fs/promises';
import { buildRequest, readReply, startStandInBackend } from '@headrace/gateway/testing';
import type { StandInBackend } from '@headrace/gateway/testing';
import { healthService, inferenceService, reflectionV1Service } from '@headrace/proto';
import { statusCode, systemClock } from '@headrace/runtime';
import { makeCertificates } from '@headrace/wire/testing';
import { testTransport } from '@headrace/wire/testing/transport';
import type { Channel, ClientStream, TlsClientFiles, UnaryOutcome, WireStatus } from '@headrace/wire';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startGateway, tableText, tempDir } from '../harness/index.js';
import type { RunningGateway, TempDir } from '../harness/index.js';
import { infer } from '../harness/outcomes.js';
import { scrape } from '../harness/scrape.js';
import { until } from '../harness/until.js';

const { ModelStreamInfer, RepositoryIndex, RepositoryModelLoad, RepositoryModelUnload } = inferenceService.methods;
const { Watch } = healthService.methods;
const { ServerReflectionInfo } = reflectionV1Service.methods;

/** Connections go to the workers by turns: of two workers each has two. */
const channelCount = 4;

interface Talk {
  readonly stream: ClientStream;
  readonly messages: Buffer[];
  status: WireStatus | undefined;
}

describe('what else a gateway does, with several workers', { timeout: 120_000 }, () => {
  let folder: TempDir;
  let backend: StandInBackend;
  let gateway: RunningGateway;
  let channels: readonly Channel[];
  beforeEach(async () => {
    folder = await tempDir('workers-services');
    backend = await startStandInBackend({ models: ['m', 'n'].map((name) => ({ name, overheadMs: 1, perRowMs: 0 })) });
    channels = [];
  });
  afterEach(async () => {
    for (const channel of channels) channel.close();
    const exit = await gateway.process.stop();
    await backend.kill();
    await folder.remove();
    expect(exit).toEqual({ code: 0, signal: null });
  });

  async function start(...args: readonly string[]): Promise<void> {
    gateway = await startGateway({
      folder: folder.path,
      table: { backends: [{ name: 'b', address: backend.address }] },
      args: ['--workers', '2', ...args],
    });
  }
  const open = (tls?: TlsClientFiles): readonly Channel[] => {
    const { port } = new URL(`tcp://${gateway.address}`);
    const opened = Array.from({ length: channelCount }, () =>
      testTransport(systemClock).openChannel(`127.0.0.1:${port}`, tls === undefined ? {} : { tls }),
    );
    channels = [...channels, ...opened];
    return opened;
  };
  const deadline = (): { readonly deadlineMs: number } => ({ deadlineMs: systemClock.nowMs() + 60_000 });
  const call = (channel: Channel, path: string, message: Buffer): Promise<UnaryOutcome> =>
    new Promise((resolve) => void channel.unary(path, message, deadline(), resolve));
  const talk = (channel: Channel, path: string, message: Buffer): Talk => {
    const messages: Buffer[] = [];
    const stream = channel.stream(path, deadline(), {
      onMessage: (got) => void messages.push(Buffer.from(got)),
      onStatus: (status) => (opened.status = status),
    });
    const opened: Talk = { stream, messages, status: undefined };
    stream.write(message);
    return opened;
  };
  const request = (model = 'm', value = 7n): Buffer => buildRequest({ model, values: [value] });
  /** By channel: "7" for an answer, else the status. */
  const answers = async (over: readonly Channel[], model = 'm'): Promise<readonly string[]> =>
    (await Promise.all(over.map((channel) => infer(channel, request(model))))).map((outcome) =>
      outcome.ok ? readReply(outcome.message).values.join() : outcome.status.message,
    );
  const allSeven = Array.from({ length: channelCount }, () => '7');
  /** Lines of the log. */
  const told = (text: string): number => gateway.process.stderr.split(text).length - 1;
  /** At once, so that nobody reads half of it. */
  async function putTable(text: string): Promise<void> {
    await writeFile(`${gateway.tableFile}.next`, text);
    await rename(`${gateway.tableFile}.next`, gateway.tableFile);
  }
  const reloads = async (result: string): Promise<number> =>
    (await scrape(gateway.metricsPort)).sum('headrace_gateway_table_reloads_total', { result });

  test('mutual TLS: each worker checks clients, and each takes new certificates while old connections stay', async () => {
    const [before, after] = [await makeCertificates(), await makeCertificates()];
    const { server, authorityFile, client, stranger } = before;
    await start('--tls-cert', server.certificateFile, '--tls-key', server.keyFile, '--tls-client-ca', authorityFile);
    const first = open({ authorityFile, ...client });
    expect(await answers(first)).toEqual(allSeven);
    for (const answer of await answers(open({ authorityFile, ...stranger }))) expect(answer).not.toBe('7');
    for (const answer of await answers(open({ authorityFile }))) expect(answer).not.toBe('7');
    for (const [to, from] of [
      [server.certificateFile, after.server.certificateFile],
      [server.keyFile, after.server.keyFile],
      [authorityFile, after.authorityFile],
    ] as const)
      await writeFile(to, await readFile(from));
    const renewed = { authorityFile: after.authorityFile, ...after.client };
    await until('both workers took them', () => told('TLS files were read again') === 2);
    expect(await answers(open(renewed))).toEqual(allSeven);
    expect(await answers(first)).toEqual(allSeven);
    before.remove();
    after.remove();
  });

  test('a routing table that changes is applied by each, and a bad one by none', async () => {
    await start();
    const over = open();
    expect(await answers(over, 'm')).toEqual(allSeven);
    await putTable('kind: RoutingTable\nbackends: nobody\n');
    await until('both refused it', () => told('the changed routing table is unusable') === 2);
    expect(await answers(over, 'm')).toEqual(allSeven);
    const second = await startStandInBackend({ models: [{ name: 'other', overheadMs: 1, perRowMs: 0 }] });
    const backends = [
      { name: 'b', address: backend.address },
      { name: 'c', address: second.address },
    ];
    await putTable(tableText({ backends }));
    await until('all serve what is new', async () => (await answers(over, 'other')).every((answer) => answer === '7'));
    expect([await reloads('applied'), await reloads('rejected')]).toEqual([1, 1]);
    await second.kill();
  });

  test('an unload and a load through one worker are known to all, and so is the index', async () => {
    await start();
    const over = open();
    const [one] = over;
    if (one === undefined) throw new Error('expected channels');
    const index = async (channel: Channel): Promise<readonly string[]> => {
      const outcome = await call(channel, RepositoryIndex.path, RepositoryIndex.request.encode({}));
      if (!outcome.ok) return [outcome.status.message];
      return RepositoryIndex.response.decode(outcome.message).models.map(({ name, state }) => `${name} ${state}`);
    };
    const indexes = async (): Promise<readonly string[]> => (await Promise.all(over.map(index))).map((models) => [...models].sort().join());
    const all = (text: string): readonly string[] => over.map(() => text);
    expect(await indexes()).toEqual(all('m READY,n READY'));
    expect(await call(one, RepositoryModelUnload.path, RepositoryModelUnload.request.encode({ model_name: 'n' }))).toMatchObject({
      ok: true,
    });
    expect(await indexes()).toEqual(all('m READY,n UNAVAILABLE'));
    await until('nobody serves it', async () => (await answers(over, 'n')).every((answer) => answer !== '7'));
    expect(await answers(over, 'm')).toEqual(allSeven);
    expect(await call(one, RepositoryModelLoad.path, RepositoryModelLoad.request.encode({ model_name: 'n' }))).toMatchObject({ ok: true });
    await until('all serve it', async () => (await answers(over, 'n')).every((answer) => answer === '7'));
    expect(backend.state.controlled).toEqual([
      { what: 'unload', model: 'n' },
      { what: 'load', model: 'n' },
    ]);
  });

  test('reflection is answered, health is watched, and a drain ends watches and streams that clients hold', async () => {
    await start();
    const over = open();
    const asked = over.map((channel) =>
      talk(channel, ServerReflectionInfo.path, ServerReflectionInfo.request.encode({ list_services: '*' })),
    );
    await until('services', () => asked.every(({ messages }) => messages.length === 1));
    for (const { messages, stream } of asked) {
      const services = ServerReflectionInfo.response.decode(messages[0] ?? Buffer.alloc(0)).list_services_response?.service;
      expect(services?.map(({ name }) => name)).toContain('inference.GRPCInferenceService');
      stream.end();
    }
    const watches = over.map((channel) => talk(channel, Watch.path, Watch.request.encode({ service: '' })));
    const seen = (): readonly string[] => watches.map(({ messages }) => messages.map((got) => Watch.response.decode(got).status).join());
    await until('health', () => seen().every((states) => states === 'SERVING'));
    const streams = over.map((channel) => talk(channel, ModelStreamInfer.path, request()));
    await until('answers', () => streams.every(({ messages }) => messages.length === 1));
    // Clients that keep their streams open for as long as they like.
    gateway.process.kill('SIGTERM');
    expect(await gateway.process.exited).toEqual({ code: 0, signal: null });
    await until('the ends', () => [...watches, ...streams].every(({ status }) => status !== undefined));
    expect(seen()).toEqual(over.map(() => 'SERVING,NOT_SERVING'));
    expect(streams.map(({ status }) => status?.code)).toEqual(over.map(() => statusCode.UNAVAILABLE));
    for (const { status } of streams) expect(status?.message).toContain('shutting down');
  });
});
