import { status } from '@grpc/grpc-js';
import { inferenceService } from '@headrace/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GrpcJsClient, exactFractions, fp32Bytes, fp32Values, referenceFp32, startPlatform } from '../harness/index.js';
import type { Platform } from '../harness/index.js';

const { ModelInfer, ModelStreamInfer, ServerReady } = inferenceService.methods;

/** Node's usual gRPC client, with the codecs of the .proto files shipped here. */
describe('grpc-js', () => {
  let platform: Platform;
  let client: GrpcJsClient;
  beforeAll(async () => {
    platform = await startPlatform();
    client = new GrpcJsClient(platform.address);
  });
  afterAll(async () => {
    client.close();
    await platform.stop();
  });

  const data = exactFractions(32);
  const metadata = { model_name: 'tiny', id: 'j1' };
  const shape = [2, 16];

  test('is told that the server is ready', async () => {
    expect((await client.call(ServerReady, {})).message).toEqual({ ready: true });
  });

  test('gets the same prediction for raw and for typed contents', async () => {
    const expected = (await referenceFp32('tiny', { name: 'x', shape, data }, 'y')).map((value) => expect.closeTo(value, 5) as number);
    const raw = { ...metadata, inputs: [{ name: 'x', datatype: 'FP32', shape }], raw_input_contents: [fp32Bytes(data)] };
    const typed = { ...metadata, inputs: [{ name: 'x', datatype: 'FP32', shape, contents: { fp32_contents: [...data] } }] };
    for (const request of [raw, typed]) {
      const { message } = await client.call(ModelInfer, request);
      expect(message).toMatchObject({ model_name: 'tiny', id: 'j1', outputs: [{ name: 'y', datatype: 'FP32', shape: ['2', '4'] }] });
      expect(fp32Values(message.raw_output_contents[0] ?? new Uint8Array())).toEqual(expected);
    }
  });

  test('gets its request id back, and one that was made for it where it gave none', async () => {
    const request = { ...metadata, inputs: [{ name: 'x', datatype: 'FP32', shape }], raw_input_contents: [fp32Bytes(data)] };
    const requestId = async (sent: Readonly<Record<string, string>>): Promise<unknown> => {
      const { headers, trailers } = await client.call(ModelInfer, request, { metadata: sent });
      return headers.get('x-request-id')[0] ?? trailers.get('x-request-id')[0];
    };
    expect(await requestId({ 'x-request-id': 'order-17' })).toBe('order-17');
    expect(await requestId({})).toMatch(/^\S{8,}$/);
  });

  test('meets its deadline when the model is slower', async () => {
    const request = {
      model_name: 'slow',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4] }],
      raw_input_contents: [fp32Bytes([1, 2, 3, 4])],
    };
    await expect(client.call(ModelInfer, request, { timeoutMs: 1 })).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    expect((await client.call(ServerReady, {})).message).toEqual({ ready: true });
  });

  test('gets a reply for each request of a stream', async () => {
    const requests = Array.from({ length: 20 }, (_, index) => ({
      model_name: 'identity_float',
      id: String(index),
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2] }],
      raw_input_contents: [fp32Bytes([index, -index])],
    }));
    const replies = await client.stream(ModelStreamInfer, requests);
    const values = replies.map(
      ({ infer_response: reply }) => [reply?.id, fp32Values(reply?.raw_output_contents[0] ?? new Uint8Array())[0]] as const,
    );
    expect(new Map(values)).toEqual(new Map(requests.map(({ id }, index) => [id, index])));
    expect(replies).toHaveLength(20);
  });
});
