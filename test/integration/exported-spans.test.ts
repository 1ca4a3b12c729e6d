import { status } from '@grpc/grpc-js';
import { inferenceService } from '@headrace/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GrpcJsClient, fp32Bytes, freePort, startPlatform } from '../harness/index.js';
import type { Platform, TempDir } from '../harness/index.js';
import { modelFolder } from '../harness/model-folder.js';
import { startSpanCollector } from './span-collector.js';
import type { CollectedSpan, CollectorBehaviour, SpanCollector } from './span-collector.js';

const { ModelInfer, ModelStreamInfer } = inferenceService.methods;
const request = {
  model_name: 'identity_float',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2] }],
  raw_input_contents: [fp32Bytes([1, 2])],
};
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const clientSpanId = '00f067aa0ba902b7';
const sampled = `00-${traceId}-${clientSpanId}-01`;

let models: TempDir;
beforeAll(async () => (models = await modelFolder('identity_float')));
afterAll(() => models.remove());

const start = (endpoint: string): Promise<Platform> =>
  startPlatform({ models: models.path, env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } });

describe('with a collector of spans', { timeout: 240_000 }, () => {
  let collector: SpanCollector;
  beforeAll(async () => (collector = await startSpanCollector()));
  afterAll(() => collector.close());

  /** Runs one call on processes of its own and ends them at once: whatever was not sent by then is only sent because they end. */
  const spansOf = async (
    call: (client: GrpcJsClient) => Promise<unknown>,
    addressOf: (platform: Platform) => string = ({ address }) => address,
  ): Promise<readonly CollectedSpan[]> => {
    const before = collector.spans.length;
    const platform = await start(collector.endpoint);
    const client = new GrpcJsClient(addressOf(platform));
    await call(client);
    client.close();
    await platform.stop();
    return collector.spans.slice(before);
  };
  const byService = (spans: readonly CollectedSpan[]): readonly [CollectedSpan, CollectedSpan] => {
    expect(spans.map(({ service }) => service).toSorted()).toEqual(['headrace-gateway', 'headrace-inference']);
    const [gateway, server] = spans.toSorted((a, b) => a.service.localeCompare(b.service));
    if (gateway === undefined || server === undefined) throw new Error('no spans');
    return [gateway, server];
  };

  test("a call's trace leads from the client through the gateway to the server, and its spans are sent before both end", async () => {
    const metadata = { traceparent: sampled, 'x-request-id': 'order-17' };
    const attributes = {
      'rpc.system': 'grpc',
      'rpc.service': 'inference.GRPCInferenceService',
      'rpc.method': 'ModelInfer',
      'headrace.request_id': 'order-17',
      'headrace.model': 'identity_float',
    };
    const [gateway, server] = byService(await spansOf((client) => client.call(ModelInfer, request, { metadata })));
    expect(gateway).toMatchObject({
      name: 'inference.GRPCInferenceService/ModelInfer',
      traceId,
      parentSpanId: clientSpanId,
      kind: 2,
      status: { code: 0 },
      attributes,
    });
    expect(server).toMatchObject({
      name: 'inference.GRPCInferenceService/ModelInfer',
      traceId,
      parentSpanId: gateway.spanId,
      kind: 2,
      status: { code: 0 },
      attributes,
    });
    expect(new Set([clientSpanId, gateway.spanId, server.spanId]).size).toBe(3);
    for (const { startNs, endNs } of [gateway, server]) expect(endNs).toBeGreaterThan(startNs);
  });

  test('a call without a trace begins one at the gateway', async () => {
    const [gateway, server] = byService(await spansOf((client) => client.call(ModelInfer, request)));
    expect(gateway.parentSpanId).toBeUndefined();
    expect(server).toMatchObject({ traceId: gateway.traceId, parentSpanId: gateway.spanId });
    expect(gateway.traceId).toMatch(/^[0-9a-f]{32}$/);
  });

  test('a trace that its client does not record is recorded nowhere', async () => {
    const metadata = { traceparent: `00-${traceId}-${clientSpanId}-00` };
    expect(await spansOf((client) => client.call(ModelInfer, request, { metadata }))).toEqual([]);
  });

  test('a call that the server refuses is told as failed by both', async () => {
    const wrong = { ...request, inputs: [{ name: 'x', datatype: 'INT64', shape: [1, 1] }] };
    const [gateway, server] = byService(
      await spansOf((client) =>
        expect(client.call(ModelInfer, wrong, { metadata: { traceparent: sampled } })).rejects.toMatchObject({
          code: status.INVALID_ARGUMENT,
        }),
      ),
    );
    for (const span of [gateway, server])
      expect(span).toMatchObject({ traceId, status: { code: 2, message: expect.stringMatching(/./) as string } });
    expect(server.parentSpanId).toBe(gateway.spanId);
  });

  describe('each request of a stream has a span, whose parent is the span of the stream', () => {
    const unknown = { ...request, model_name: 'nobody' };
    const stream = (client: GrpcJsClient): Promise<unknown> =>
      client.stream(ModelStreamInfer, [request, unknown], { metadata: { traceparent: sampled, 'x-request-id': 'order-18' } });
    const common = { name: 'inference.GRPCInferenceService/ModelStreamInfer', traceId, parentSpanId: clientSpanId, kind: 2 };
    const attributes = { 'rpc.system': 'grpc', 'rpc.service': 'inference.GRPCInferenceService', 'rpc.method': 'ModelStreamInfer' };
    const good = {
      ...common,
      status: { code: 0 },
      attributes: { ...attributes, 'headrace.request_id': 'order-18/1', 'headrace.model': 'identity_float' },
    };
    const refused = {
      ...common,
      status: { code: 2, message: expect.stringMatching(/./) as string },
      attributes: { ...attributes, 'headrace.request_id': 'order-18/2', 'headrace.model': 'nobody' },
    };
    const inOrder = (spans: readonly CollectedSpan[], service: string): readonly CollectedSpan[] =>
      spans
        .filter((span) => span.service === service)
        .toSorted((a, b) => String(a.attributes['headrace.request_id']).localeCompare(String(b.attributes['headrace.request_id'])));

    test('at the gateway, which leads the trace on to the server', async () => {
      const spans = await spansOf(stream);
      const gateway = inOrder(spans, 'headrace-gateway');
      expect(gateway).toMatchObject([good, refused]);
      expect(inOrder(spans, 'headrace-inference')).toMatchObject([
        { traceId, parentSpanId: gateway[0]?.spanId, attributes: { 'headrace.request_id': 'order-18/1' } },
      ]);
    });

    test('and at the server, for clients that come without a gateway', async () => {
      const spans = await spansOf(stream, ({ replicas }) => replicas[0]?.address ?? '');
      expect(inOrder(spans, 'headrace-inference')).toMatchObject([good, refused]);
      expect(spans).toHaveLength(2);
    });
  });
});

describe('a collector that is no use', { timeout: 240_000 }, () => {
  test.concurrent.each([
    ['is not there', undefined],
    ['answers 500', 'fail'],
    ['never answers', 'hang'],
  ] as const)('%s: calls are answered, and both processes end in order', async (_what, behaviour: CollectorBehaviour | undefined) => {
    const collector = behaviour === undefined ? undefined : await startSpanCollector(behaviour);
    const platform = await start(collector?.endpoint ?? `http://127.0.0.1:${await freePort()}`);
    const client = new GrpcJsClient(platform.address);
    const call = (): Promise<unknown> => client.call(ModelInfer, request, { metadata: { traceparent: sampled }, timeoutMs: 60_000 });
    const answers = async (calls: number): Promise<void> => {
      for (const { message } of (await Promise.all(Array.from({ length: calls }, call))) as { message: unknown }[])
        expect(message).toMatchObject({ raw_output_contents: [fp32Bytes([1, 2])] });
    };
    await answers(1);
    // From here on each process has been let down by its collector at least once.
    await expect.poll(() => collector?.posts ?? Infinity, { timeout: 60_000 }).toBeGreaterThanOrEqual(2);
    await answers(50);
    client.close();
    await platform.stop();
    await collector?.close();
  });
});
