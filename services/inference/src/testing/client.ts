import type { InferRequestToWrite, InferResponseView, ParameterValue, TensorToWrite } from '@headrace/proto';
import { inferenceService, scanInferResponse, writeInferRequest } from '@headrace/proto';
import { systemClock } from '@headrace/runtime';
import type { CallOptions, Channel, UnaryOutcome, WireStatus } from '@headrace/wire';
import { testTransport } from '@headrace/wire/testing/transport';

type Methods = (typeof inferenceService)['methods'];
type UnaryName = Exclude<keyof Methods, 'ModelInfer' | 'ModelStreamInfer'>;

export type InferResult =
  | { readonly ok: true; readonly response: InferResponseView; readonly outputs: ReadonlyMap<string, ResultTensor> }
  | { readonly ok: false; readonly status: WireStatus };

export interface ResultTensor {
  readonly datatype: string;
  readonly shape: readonly number[];
  /** A copy of the raw bytes. */
  readonly raw: Buffer;
}

/** What a test says of a request; the rest is filled in. */
export interface RequestSketch {
  readonly model: string;
  readonly version?: string;
  readonly id?: string;
  readonly inputs: readonly TensorToWrite[];
  readonly outputs?: readonly string[];
  readonly parameters?: Readonly<Record<string, ParameterValue>>;
}

export function requestOf(sketch: RequestSketch): InferRequestToWrite {
  return {
    modelName: sketch.model,
    modelVersion: sketch.version ?? '',
    id: sketch.id ?? '',
    parameters: new Map(Object.entries(sketch.parameters ?? {})),
    inputs: sketch.inputs,
    outputs: (sketch.outputs ?? []).map((name) => ({ name, parameters: new Map() })),
  };
}

/** An FP32 tensor. */
export function floats(name: string, shape: readonly number[], values: readonly number[]): TensorToWrite {
  return { name, datatype: 'FP32', shape, data: [new Uint8Array(Float32Array.from(values).buffer)] };
}

/** A client of one server over the transport that the product uses. */
export class InferenceClient {
  readonly channel: Channel;

  constructor(port: number) {
    this.channel = testTransport(systemClock).openChannel(`127.0.0.1:${port}`, {});
  }

  /** Any unary method but ModelInfer, with objects. Rejects with an Error that has the WireStatus as `status`. */
  async call<Name extends UnaryName>(
    name: Name,
    request: Parameters<Methods[Name]['request']['encode']>[0],
  ): Promise<ReturnType<Methods[Name]['response']['decode']>> {
    const method = inferenceService.methods[name];
    // The union of codecs cannot be called with one member's type; name ties request, codec and response together.
    const codec = method.request as { encode(message: unknown): Buffer };
    const outcome = await this.raw(method.path, codec.encode(request));
    if (!outcome.ok) throw Object.assign(new Error(outcome.status.message), { status: outcome.status });
    return method.response.decode(outcome.message) as ReturnType<Methods[Name]['response']['decode']>;
  }

  raw(path: string, message: Buffer, options: CallOptions = {}): Promise<UnaryOutcome> {
    return new Promise((resolve) => void this.channel.unary(path, message, options, resolve));
  }

  infer(sketch: RequestSketch, options: CallOptions = {}): Promise<InferResult> {
    return this.inferBytes(writeInferRequest(requestOf(sketch)), options);
  }

  async inferBytes(message: Buffer, options: CallOptions = {}): Promise<InferResult> {
    const outcome = await this.raw(inferenceService.methods.ModelInfer.path, message, options);
    return outcome.ok ? readResponse(outcome.message) : { ok: false, status: outcome.status };
  }

  close(): void {
    this.channel.close();
  }
}

export function readResponse(message: Buffer): InferResult & { readonly ok: true } {
  const scanned = scanInferResponse(message);
  if (!scanned.ok) throw new Error(scanned.message);
  const { view } = scanned;
  const outputs = new Map(
    view.outputs.map(({ name, datatype, shape, raw }) => [
      name,
      { datatype, shape, raw: raw === undefined ? Buffer.alloc(0) : Buffer.from(view.bytes.subarray(raw.start, raw.end)) },
    ]),
  );
  return { ok: true, response: view, outputs };
}
