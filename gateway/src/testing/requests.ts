import { scanInferResponse, writeInferRequest } from '@headrace/proto';
import type { ParameterValue, RequestedOutputView } from '@headrace/proto';

export interface RequestToBuild {
  readonly model: string;
  readonly version?: string;
  readonly id?: string;
  /** One INT64 row per value. */
  readonly values: readonly bigint[];
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
  readonly outputs?: readonly RequestedOutputView[];
}

/** A ModelInferRequest for a stand-in's default model: input x INT64 [rows, 1]. */
export function buildRequest(request: RequestToBuild): Buffer {
  const data = Buffer.alloc(request.values.length * 8);
  request.values.forEach((value, row) => data.writeBigInt64LE(value, row * 8));
  return writeInferRequest({
    modelName: request.model,
    modelVersion: request.version ?? '',
    id: request.id ?? '',
    parameters: new Map(Object.entries(request.parameters ?? {})),
    inputs: [{ name: 'x', datatype: 'INT64', shape: [request.values.length, 1], data: [data] }],
    outputs: request.outputs ?? [],
  });
}

export interface ReadReply {
  readonly id: string;
  readonly version: string;
  readonly values: readonly bigint[];
}

/** The stand-in's answer to it. Throws on anything else. */
export function readReply(message: Buffer): ReadReply {
  const scanned = scanInferResponse(message);
  if (!scanned.ok) throw new Error(scanned.message);
  const { view } = scanned;
  const [output] = view.outputs;
  if (output?.raw === undefined) throw new Error('expected one raw output');
  const raw = view.bytes.subarray(output.raw.start, output.raw.end);
  const values = Array.from({ length: raw.length / 8 }, (_, row) => raw.readBigInt64LE(row * 8));
  return { id: view.id, version: view.modelVersion, values };
}
