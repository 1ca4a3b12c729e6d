import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { inferenceService, rpcDetails, scanInferRequest, writeInferRequest } from './index.js';

/** Names of loaded files; every CommonJS module of the process is in this cache, imported ones included. */
function loadedProtobufjs(): readonly string[] {
  return Object.keys(createRequire(import.meta.url).cache).filter((path) => /[\\/](protobufjs|proto-loader)[\\/]/.test(path));
}

describe('importing the package', () => {
  it('loads protobufjs with the first codec used, and not for scanning, writing or naming methods', () => {
    const bytes = writeInferRequest({ modelName: 'm', modelVersion: '', id: '', parameters: new Map(), inputs: [], outputs: [] });
    expect(scanInferRequest(bytes).ok).toBe(true);
    expect(inferenceService.methods.ModelReady.path).toBe('/inference.GRPCInferenceService/ModelReady');
    expect(loadedProtobufjs()).toEqual([]);

    expect(rpcDetails.ErrorInfo.encode({}).length).toBe(0);
    expect(loadedProtobufjs()).not.toEqual([]);
  });
});
