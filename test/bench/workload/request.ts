import { randomFillSync } from 'node:crypto';
import { writeInferRequest } from '@headrace/proto';
import type { ParameterValue, TensorToWrite } from '@headrace/proto';
import type { BenchInput, BenchModel } from './models.js';

/** Ids of a catalogue of a million; 0 would be padding. */
const idCount = 1_000_000;

/** Raw little-endian values: FP32 in [-1, 1), INT64 ids in [1, 1,000,000]. */
export function randomRow(input: BenchInput): Uint8Array {
  const count = input.rowShape.reduce((product, dim) => product * dim, 1);
  const random = new Uint32Array(count);
  randomFillSync(random);
  if (input.datatype === 'FP32') return new Uint8Array(Float32Array.from(random, (bits) => bits / 2 ** 31 - 1).buffer);
  return new Uint8Array(BigInt64Array.from(random, (bits) => BigInt(1 + (bits % idCount))).buffer);
}

/** A ModelInferRequest of one row of random values; `servedAs` when the model runs under another name. */
export function randomRequest(model: BenchModel, options: { readonly priority?: number; readonly servedAs?: string } = {}): Buffer {
  const inputs = model.inputs.map((input): TensorToWrite => ({
    name: input.name,
    datatype: input.datatype,
    shape: [1, ...input.rowShape],
    data: [randomRow(input)],
  }));
  const parameters = new Map<string, ParameterValue>();
  if (options.priority !== undefined) parameters.set('priority', BigInt(options.priority));
  return writeInferRequest({ modelName: options.servedAs ?? model.name, modelVersion: '', id: '', parameters, inputs, outputs: [] });
}

/** gRPC's framing of one message: an uncompressed flag and a 4-byte big-endian length. */
export function grpcFrame(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
