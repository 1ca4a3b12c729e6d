import { fileDescriptorProtos, reflectionV1AlphaService, reflectionV1Service } from '@headrace/proto';
import { statusCode, systemClock } from '@headrace/runtime';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { grpcJsTransport } from '../grpc-js/transport.js';
import { Harness, openStream, until } from '../testing/suite/harness.js';
import { DescriptorIndex } from './descriptor-index.js';
import { bytesFields } from './descriptor-fields.js';
import { registerReflection } from './reflection.js';

// Real sockets on a machine that may be busy: the limit only ends what hangs.
vi.setConfig({ testTimeout: 30_000 });

type Codecs = (typeof reflectionV1Service)['methods']['ServerReflectionInfo'];
type Request = Parameters<Codecs['request']['encode']>[0];

const versions: readonly [string, Codecs][] = [
  ['v1', reflectionV1Service.methods.ServerReflectionInfo],
  ['v1alpha', reflectionV1AlphaService.methods.ServerReflectionInfo],
];

const index = new DescriptorIndex(fileDescriptorProtos());
const nameOf = (file: Buffer): string | undefined => [...bytesFields(file)].find(({ number }) => number === 1)?.bytes.toString();

let harness: Harness;
beforeEach(() => {
  harness = new Harness(grpcJsTransport(systemClock));
});
afterEach(async () => harness.close());

async function ask(codecs: Codecs, requests: readonly Request[]) {
  const server = harness.transport.createServer({});
  registerReflection(server, fileDescriptorProtos());
  const { port } = await server.listen('127.0.0.1', 0);
  const asking = openStream(harness.open(`127.0.0.1:${port}`), codecs.path);
  for (const request of requests) asking.stream.write(codecs.request.encode(request));
  await until(() => asking.messages.length === requests.length);
  asking.stream.end();
  expect((await asking.status).code).toBe(statusCode.OK);
  await server.drain(0);
  return asking.messages.map((message) => codecs.response.decode(message));
}

describe.each(versions)('reflection %s', (_version, codecs) => {
  it('lists the services', async () => {
    const [answer] = await ask(codecs, [{ list_services: '*', host: 'here' }]);
    const names = answer?.list_services_response?.service.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['inference.GRPCInferenceService', 'grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection']),
    );
    expect([answer?.valid_host, answer?.original_request?.list_services]).toEqual(['here', '*']);
  });

  it.each([
    ['a service', 'inference.GRPCInferenceService'],
    ['a method', 'inference.GRPCInferenceService.ModelInfer'],
    ['a message', 'inference.ModelInferRequest'],
    ['a nested message', 'inference.ModelInferRequest.InferInputTensor'],
    ['a field', 'inference.ModelInferRequest.model_name'],
    ['an enum value beside its enum', 'grpc.health.v1.HealthCheckResponse.SERVING'],
  ])('finds the file of %s, first, with all it imports', async (_name, symbol) => {
    const [answer] = await ask(codecs, [{ file_containing_symbol: symbol }]);
    const files = answer?.file_descriptor_response?.file_descriptor_proto ?? [];
    expect(files).toEqual(index.bySymbol(symbol));
    const names = files.map(nameOf);
    expect(new Set(names).size).toBe(names.length);
    const imported = files.flatMap((file) =>
      [...bytesFields(file)].filter(({ number }) => number === 3).map(({ bytes }) => bytes.toString()),
    );
    for (const name of imported) expect(names).toContain(name);
  });

  it('finds a file by its name', async () => {
    const [wanted] = index.bySymbol('inference.ModelConfig') ?? [];
    const name = nameOf(wanted ?? Buffer.alloc(0)) ?? '';
    const [answer] = await ask(codecs, [{ file_by_filename: name }]);
    expect(answer?.file_descriptor_response?.file_descriptor_proto[0]).toEqual(wanted);
  });

  it.each<[string, Request, number]>([
    ['an unknown symbol', { file_containing_symbol: 'no.Such' }, statusCode.NOT_FOUND],
    ['a prototype name as a symbol', { file_containing_symbol: 'constructor' }, statusCode.NOT_FOUND],
    ['an unknown file', { file_by_filename: '../../etc/passwd' }, statusCode.NOT_FOUND],
    [
      'an extension',
      { file_containing_extension: { containing_type: 'inference.ModelConfig', extension_number: 7 } },
      statusCode.NOT_FOUND,
    ],
    ['extensions of an unknown type', { all_extension_numbers_of_type: 'no.Such' }, statusCode.NOT_FOUND],
    ['nothing', {}, statusCode.INVALID_ARGUMENT],
  ])('answers an error for %s, and goes on', async (_name, request, code) => {
    const [first, second] = await ask(codecs, [request, { list_services: '' }]);
    expect(first?.error_response?.error_code).toBe(code);
    expect(second?.list_services_response?.service.length).toBeGreaterThan(0);
  });

  it('knows that a message of proto3 has no extensions', async () => {
    const [answer] = await ask(codecs, [{ all_extension_numbers_of_type: 'inference.ModelConfig' }]);
    expect(answer?.all_extension_numbers_response).toEqual({ base_type_name: 'inference.ModelConfig', extension_number: [] });
  });
});

it('ends a stream whose bytes are no request', async () => {
  const server = harness.transport.createServer({});
  registerReflection(server, fileDescriptorProtos());
  const { port } = await server.listen('127.0.0.1', 0);
  const asking = openStream(harness.open(`127.0.0.1:${port}`), reflectionV1Service.methods.ServerReflectionInfo.path);
  asking.stream.write(Buffer.alloc(12, 0xff));
  expect((await asking.status).code).toBe(statusCode.INVALID_ARGUMENT);
  await server.drain(0);
});

it.each([
  ['a truncated field', Buffer.from([0x0a, 0x05, 0x61])],
  ['an endless varint', Buffer.alloc(20, 0xff)],
  ['a group', Buffer.from([0x0b])],
])('refuses to index %s', (_name, bytes) => {
  expect(() => new DescriptorIndex([bytes])).toThrow(RangeError);
});
