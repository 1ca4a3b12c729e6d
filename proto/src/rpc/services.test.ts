import { describe, expect, it } from 'vitest';
import { loadSync } from '@grpc/proto-loader';
import type { ServiceDefinition } from '@grpc/proto-loader';
import { loaderOptions } from '../loader-options.js';
import { protoFile, protoFileNames } from '../proto-files.js';
import type { Method } from './codec.js';
import { rpcDetails } from './details.js';
import type { StatusDetail } from './details.js';
import { healthService, inferenceService, reflectionV1AlphaService, reflectionV1Service, trafficService } from './services.js';

describe('services', () => {
  it('have a path, a direction and codecs per method', () => {
    const { ModelReady, ModelStreamInfer } = inferenceService.methods;
    expect(ModelReady.path).toBe('/inference.GRPCInferenceService/ModelReady');
    expect([ModelReady.requestStream, ModelReady.responseStream]).toEqual([false, false]);
    expect([ModelStreamInfer.requestStream, ModelStreamInfer.responseStream]).toEqual([true, true]);
    expect(ModelReady.request.decode(ModelReady.request.encode({ name: 'ranker' }))).toEqual({ name: 'ranker', version: '' });
    expect(healthService.methods.Watch.responseStream).toBe(true);
    expect(healthService.methods.Check.response.encode({ status: 'SERVING' })).toEqual(Buffer.from([8, 1]));
    expect(reflectionV1Service.methods.ServerReflectionInfo.path).toBe('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo');
    expect(reflectionV1AlphaService.methods.ServerReflectionInfo.path).toBe(
      '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
    );
  });

  it('keep field names, give 64-bit integers and enums as strings, fill in defaults and name the set oneof', () => {
    const { ModelConfig, ModelStatistics } = inferenceService.methods;
    const config = ModelConfig.response.decode(
      ModelConfig.response.encode({
        config: { name: 'm', max_batch_size: 8, input: [{ name: 'x', data_type: 'TYPE_FP32', dims: [-1] }], dynamic_batching: {} },
      }),
    ).config;
    expect(config).toMatchObject({ scheduling_choice: 'dynamic_batching', max_batch_size: 8, backend: '', output: [] });
    expect(config?.input).toMatchObject([{ data_type: 'TYPE_FP32', dims: ['-1'] }]);
    const statistics = ModelStatistics.response.encode({ model_stats: [{ inference_count: '18446744073709551615' }] });
    expect(ModelStatistics.response.decode(statistics).model_stats[0]?.inference_count).toBe('18446744073709551615');
  });

  it('have every method of the union, those refused included', () => {
    expect(Object.keys(inferenceService.methods)).toHaveLength(20);
  });

  it.each(protoFileNames)('%s can be loaded by a client with the same options', (name) => {
    expect(Object.keys(loadSync(protoFile(name), loaderOptions)).length).toBeGreaterThan(0);
  });
});

describe('codecs agree with those of proto-loader', () => {
  const loaded = loadSync([...protoFileNames], loaderOptions);
  const services = [inferenceService, healthService, reflectionV1Service, reflectionV1AlphaService, trafficService];
  const methods = services.flatMap((service) => {
    const own: Readonly<Record<string, Method<object, unknown, object, unknown>>> = service.methods;
    return Object.entries(own).map(([method, codecs]) => ({ name: service.name, method, codecs }));
  });

  it.each(methods)('$name/$method', ({ name, method, codecs }) => {
    const theirs = (loaded[name] as ServiceDefinition)[method];
    if (theirs === undefined) throw new Error('no such method');
    const { path, requestStream, responseStream } = theirs;
    expect(codecs).toMatchObject({ path, requestStream, responseStream });
    // Nothing but defaults; a first field that is a message or text, where there is one; an unknown field, whole and cut off.
    for (const hex of ['', '0a020a00', 'fa0100', 'fa0105']) {
      const bytes = Buffer.from(hex, 'hex');
      expect(outcome(() => codecs.request.decode(bytes))).toEqual(outcome(() => theirs.requestDeserialize(bytes)));
      expect(outcome(() => codecs.response.decode(bytes))).toEqual(outcome(() => theirs.responseDeserialize(bytes)));
    }
    expect(codecs.request.encode({})).toEqual(theirs.requestSerialize({}));
    expect(codecs.response.encode({})).toEqual(theirs.responseSerialize({}));
  });

  it('and none is missing', () => {
    const theirs = Object.entries(loaded).filter(([, definition]) => !('format' in definition));
    expect(services.map((service) => service.name).sort()).toEqual(theirs.map(([name]) => name).sort());
    expect(methods).toHaveLength(theirs.flatMap(([, definition]) => Object.keys(definition)).length);
  });
});

/** What it returned, or that it threw. */
function outcome(decode: () => unknown): unknown {
  try {
    return { decoded: decode() };
  } catch {
    return 'refused';
  }
}

describe('status details', () => {
  const details: readonly StatusDetail[] = [
    { type: 'ErrorInfo', value: { reason: 'QUEUE_FULL', domain: 'headrace.dev', metadata: { model: 'ranker' } } },
    { type: 'BadRequest', value: { field_violations: [{ field: 'inputs[0].shape', description: 'expected 2 dimensions, got 3' }] } },
    { type: 'RetryInfo', value: { retry_delay: { seconds: 1, nanos: 500_000_000 } } },
    { type: 'QuotaFailure', value: { violations: [{ subject: 'tenant:a', description: 'over its share' }] } },
  ];

  it('come back as they were sent', () => {
    const received = rpcDetails.decodeStatusDetails(rpcDetails.encodeStatusDetails(8, 'full', details));
    expect(received).toMatchObject({ code: 8, message: 'full' });
    expect(received.details).toMatchObject([
      details[0] as object,
      details[1] as object,
      { type: 'RetryInfo', value: { retry_delay: { seconds: '1', nanos: 500_000_000 } } },
      details[3] as object,
    ]);
  });

  it('of a type not known here keep their name and bytes', () => {
    const bytes = rpcDetails.Status.encode({ details: [{ type_url: 'type.googleapis.com/other.Thing', value: Buffer.from([8, 1]) }] });
    expect(rpcDetails.decodeStatusDetails(bytes).details).toEqual([
      { type: 'unknown', typeUrl: 'type.googleapis.com/other.Thing', bytes: Buffer.from([8, 1]) },
    ]);
  });
});
