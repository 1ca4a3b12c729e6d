import { createRequire } from 'node:module';
import type { Clock } from '@headrace/runtime';
import type { ModelSignature, TensorSignature } from '../tensors/signature.js';
import { decodeStrings, encodeStrings } from '../tensors/bytes-codec.js';
import type { NumericArray } from '../tensors/ort-type.js';
import { datatypeOfOnnx, numericView, servedDatatypes } from '../tensors/ort-type.js';
import type { SessionSettings, TensorInTransit } from './protocol.js';
import { explainLoadError } from './providers.js';

/**
 * One onnxruntime session, driven synchronously.
 *
 * The public InferenceSession.run only wraps this native call in a setImmediate: on a thread that does nothing else the
 * detour costs 30-45 us a run (tiny MLP: 8 us of work) and gains nothing. The native metadata also names a tensor whose
 * element type the JavaScript side has no name for, where the public one throws without saying which. Both are why the
 * binding is used directly; onnxruntime-node is pinned to one exact version for it.
 */
export interface Session {
  readonly signature: ModelSignature;
  /** Runs now, on this thread. `outputs` are indices into the signature's. Throws what onnxruntime throws. */
  run(inputs: readonly TensorInTransit[], outputs: readonly number[]): RunResult;
  dispose(): void;
}

export interface RunResult {
  readonly outputs: TensorInTransit[];
  readonly inputNs: number;
  readonly runNs: number;
  readonly outputNs: number;
}

interface NativeMetadata {
  readonly name: string;
  readonly isTensor: boolean;
  readonly type: number;
  readonly shape: readonly number[];
}
interface NativeTensor {
  readonly data: NumericArray | string[];
  readonly dims: readonly number[];
}
interface NativeSession {
  loadModel(file: string, options: object): void;
  readonly inputMetadata: readonly NativeMetadata[];
  readonly outputMetadata: readonly NativeMetadata[];
  run(feeds: Record<string, NativeTensor>, fetches: Record<string, null>, options: object): Record<string, NativeTensor>;
  dispose(): void;
}
interface NativeModule {
  readonly binding: { readonly InferenceSession: new () => NativeSession };
  initOrt(): void;
}
interface OrtModule {
  readonly Tensor: new (type: string, data: NumericArray | string[], dims: readonly number[]) => NativeTensor;
  readonly env: { logLevel: string };
}

/** The native part is loaded on first use only, so that the serving thread never maps it. */
let loaded: { readonly ort: OrtModule; readonly native: NativeModule } | undefined;
function runtime(): { readonly ort: OrtModule; readonly native: NativeModule } {
  if (loaded === undefined) {
    const require = createRequire(import.meta.url);
    const ort = require('onnxruntime-node') as OrtModule;
    // Errors come back as exceptions; the C++ logger would only repeat them on stderr in a form of its own.
    ort.env.logLevel = 'fatal';
    const native = require('onnxruntime-node/dist/binding.js') as NativeModule;
    native.initOrt();
    loaded = { ort, native };
  }
  return loaded;
}

/** Maps the native library, some 30 MiB on the first thread, so that they are not counted as the first model's. */
export function loadRuntime(): void {
  runtime();
}

/** @throws Error whose message says what the model or the provider lacks. */
export function openSession(modelFile: string, settings: SessionSettings, clock: Clock): Session {
  const { ort, native } = runtime();
  const session = new native.binding.InferenceSession();
  try {
    session.loadModel(modelFile, sessionOptions(settings));
  } catch (error) {
    throw new Error(explainLoadError(settings.provider.name, error instanceof Error ? error.message : String(error)), { cause: error });
  }
  const signature = signatureOf(session);
  return {
    signature,
    run(inputs, outputs) {
      const startedMs = clock.nowMs();
      const feeds: Record<string, NativeTensor> = {};
      signature.inputs.forEach((declared, index) => {
        const given = inputs[index];
        if (given === undefined) throw new Error(`input ${JSON.stringify(declared.name)} is missing`);
        feeds[declared.name] = new ort.Tensor(servedDatatypes[declared.datatype], elementsOf(declared, given), given.shape);
      });
      const fetches: Record<string, null> = {};
      for (const index of outputs) fetches[outputAt(signature, index).name] = null;
      const readyMs = clock.nowMs();
      const results = session.run(feeds, fetches, {});
      const ranMs = clock.nowMs();
      const taken = outputs.map((index) => {
        const declared = outputAt(signature, index);
        const tensor = results[declared.name];
        if (tensor === undefined) throw new Error(`output ${JSON.stringify(declared.name)} was not produced`);
        return inTransit(tensor);
      });
      const doneMs = clock.nowMs();
      return {
        outputs: taken,
        inputNs: nanoseconds(readyMs - startedMs),
        runNs: nanoseconds(ranMs - readyMs),
        outputNs: nanoseconds(doneMs - ranMs),
      };
    },
    dispose: () => session.dispose(),
  };
}

function nanoseconds(ms: number): number {
  return Math.round(ms * 1e6);
}

function sessionOptions(settings: SessionSettings): object {
  const { name, deviceId } = settings.provider;
  return {
    executionProviders:
      name === 'cpu'
        ? ['cpu']
        : name === 'cuda'
          ? [{ name, deviceId }]
          : [
              { name, deviceId },
              { name: 'cuda', deviceId },
            ],
    intraOpNumThreads: settings.intraOpThreads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // Threads that spin between runs burn a core for nothing and disturb the neighbours (3,300 us of CPU a run against 800).
    extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
    logSeverityLevel: 4,
  };
}

function signatureOf(session: NativeSession): ModelSignature {
  const inputs = session.inputMetadata.map((metadata) => {
    if (!metadata.isTensor)
      throw new Error(`input ${JSON.stringify(metadata.name)} is not a tensor (a sequence or map), which cannot be served`);
    return tensorSignature('input', metadata);
  });
  const skippedOutputs = session.outputMetadata.filter((metadata) => !metadata.isTensor).map((metadata) => metadata.name);
  const outputs = session.outputMetadata.filter((metadata) => metadata.isTensor).map((metadata) => tensorSignature('output', metadata));
  if (outputs.length === 0) throw new Error('the model has no tensor output');
  return { inputs, outputs, skippedOutputs };
}

function tensorSignature(role: string, metadata: NativeMetadata): TensorSignature {
  const found = datatypeOfOnnx(metadata.type);
  if ('unsupported' in found) {
    throw new Error(
      `${role} ${JSON.stringify(metadata.name)} has element type ${found.unsupported}, which onnxruntime-node cannot carry exactly; expected one of ${Object.keys(servedDatatypes).join(', ')}`,
    );
  }
  return { name: metadata.name, datatype: found.datatype, shape: metadata.shape.map((dim) => (dim < 0 ? -1 : dim)) };
}

function elementsOf(declared: TensorSignature, given: TensorInTransit): NumericArray | string[] {
  return declared.datatype === 'BYTES'
    ? decodeStrings(new Uint8Array(given.buffer, given.byteOffset, given.byteLength))
    : numericView(declared.datatype, given.buffer, given.byteLength, given.byteOffset);
}

/** onnxruntime-node gives each numeric output a buffer of its own; a view into a larger one is copied out all the same. */
function inTransit(tensor: NativeTensor): TensorInTransit {
  const { data, dims } = tensor;
  if (Array.isArray(data)) {
    const buffer = encodeStrings(data);
    return { buffer, byteLength: buffer.byteLength, shape: [...dims] };
  }
  const whole = data.byteOffset === 0 && data.byteLength === data.buffer.byteLength && data.buffer instanceof ArrayBuffer;
  const buffer = whole ? data.buffer : data.slice().buffer;
  return { buffer, byteLength: data.byteLength, shape: [...dims] };
}

function outputAt(signature: ModelSignature, index: number): TensorSignature {
  const declared = signature.outputs[index];
  if (declared === undefined) throw new Error(`no output with index ${index}`);
  return declared;
}
