import type { Datatype } from './datatype.js';
import type { RequestForm } from './request-form.js';

/** A parameter as InferParameter carries it; int64 and uint64 keep all their bits. */
export type ParameterValue = boolean | bigint | string | number;

/** Half-open byte range [start, end) in the message that was scanned. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * One input tensor of a scanned request. Nothing of the payload is copied: `data` points into the message.
 *
 *     message:  | header bytes ............ | raw 0 ........ | raw 1 ... |
 *                  ^ name, datatype, shape      ^ data of input 0
 */
export interface InputView {
  readonly name: string;
  /** As sent; may be a name nobody knows. Check with isDatatype. */
  readonly datatype: string;
  /** Dims exactly as sent; a dim outside [0, 2^53) makes the scan fail, naming the input. */
  readonly shape: readonly number[];
  /** Where the raw little-endian bytes are, or undefined when the tensor came as typed contents. */
  readonly raw: ByteRange | undefined;
  /** Encoded InferTensorContents (all occurrences, merged on decode), when the tensor came typed. */
  readonly contents: readonly ByteRange[];
  readonly parameters: ReadonlyMap<string, ParameterValue>;
}

export interface RequestedOutputView {
  readonly name: string;
  readonly parameters: ReadonlyMap<string, ParameterValue>;
}

/** A ModelInferRequest after one pass over its bytes. Valid as long as `bytes` is. */
export interface InferRequestView {
  readonly bytes: Buffer;
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  readonly parameters: ReadonlyMap<string, ParameterValue>;
  readonly inputs: readonly InputView[];
  readonly outputs: readonly RequestedOutputView[];
  readonly rawInputCount: number;
  /** Views of one form are equal in all but `bytes` and `id`; absent where a scanner did not look for one. */
  readonly form?: RequestForm | undefined;
}

/** One output tensor of a scanned ModelInferResponse. */
export interface OutputView {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly raw: ByteRange | undefined;
  readonly contents: readonly ByteRange[];
  readonly parameters: ReadonlyMap<string, ParameterValue>;
}

export interface InferResponseView {
  readonly bytes: Buffer;
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  readonly parameters: ReadonlyMap<string, ParameterValue>;
  readonly outputs: readonly OutputView[];
  /** Entries of raw_output_contents; more or fewer than outputs is for the caller to judge. */
  readonly rawOutputCount: number;
}

/** What a writer needs of a tensor; `data` pieces are concatenated in order (one copy, into the message). */
export interface TensorToWrite {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: readonly Uint8Array[];
  /** The tensor's own parameters; absent means none. */
  readonly parameters?: ReadonlyMap<string, ParameterValue>;
}

export interface InferRequestToWrite {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  readonly parameters: ReadonlyMap<string, ParameterValue>;
  readonly inputs: readonly TensorToWrite[];
  /** Names of requested outputs; empty asks for all. */
  readonly outputs: readonly RequestedOutputView[];
}

export interface InferResponseToWrite {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  readonly parameters: ReadonlyMap<string, ParameterValue>;
  readonly outputs: readonly TensorToWrite[];
}

/** Why bytes are not a usable message. The text names the field, what was expected and what came. */
export interface ScanFailure {
  readonly ok: false;
  readonly message: string;
}
export type ScanResult<View> = { readonly ok: true; readonly view: View } | ScanFailure;
