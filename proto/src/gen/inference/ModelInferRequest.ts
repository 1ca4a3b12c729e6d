// Original file: inference/grpc_service.proto

import type { InferParameter as _inference_InferParameter, InferParameter__Output as _inference_InferParameter__Output } from '../inference/InferParameter.js';
import type { InferTensorContents as _inference_InferTensorContents, InferTensorContents__Output as _inference_InferTensorContents__Output } from '../inference/InferTensorContents.js';
import type { Long } from '@grpc/proto-loader';

export interface _inference_ModelInferRequest_InferInputTensor {
  'name'?: (string);
  /**
   * BOOL, UINT8, ... FP32, FP64, BYTES, BF16.
   */
  'datatype'?: (string);
  'shape'?: (number | string | Long)[];
  'parameters'?: ({[key: string]: _inference_InferParameter});
  /**
   * Unset when raw_input_contents is used.
   */
  'contents'?: (_inference_InferTensorContents | null);
}

export interface _inference_ModelInferRequest_InferInputTensor__Output {
  'name': (string);
  /**
   * BOOL, UINT8, ... FP32, FP64, BYTES, BF16.
   */
  'datatype': (string);
  'shape': (string)[];
  'parameters': ({[key: string]: _inference_InferParameter__Output});
  /**
   * Unset when raw_input_contents is used.
   */
  'contents': (_inference_InferTensorContents__Output | null);
}

export interface _inference_ModelInferRequest_InferRequestedOutputTensor {
  'name'?: (string);
  'parameters'?: ({[key: string]: _inference_InferParameter});
}

export interface _inference_ModelInferRequest_InferRequestedOutputTensor__Output {
  'name': (string);
  'parameters': ({[key: string]: _inference_InferParameter__Output});
}

export interface ModelInferRequest {
  'model_name'?: (string);
  /**
   * Empty: the server picks by the model's version policy.
   */
  'model_version'?: (string);
  /**
   * Comes back in the response.
   */
  'id'?: (string);
  /**
   * priority (1 = highest, 0 = default) and timeout (microseconds of waiting) are the ones acted upon.
   */
  'parameters'?: ({[key: string]: _inference_InferParameter});
  'inputs'?: (_inference_ModelInferRequest_InferInputTensor)[];
  /**
   * Empty: all outputs.
   */
  'outputs'?: (_inference_ModelInferRequest_InferRequestedOutputTensor)[];
  /**
   * One entry per input, in the order of inputs: little-endian elements in row-major order without padding; a BYTES
   * element is a 4-byte little-endian length and that many bytes. All inputs are raw, or none is.
   */
  'raw_input_contents'?: (Buffer | Uint8Array | string)[];
}

export interface ModelInferRequest__Output {
  'model_name': (string);
  /**
   * Empty: the server picks by the model's version policy.
   */
  'model_version': (string);
  /**
   * Comes back in the response.
   */
  'id': (string);
  /**
   * priority (1 = highest, 0 = default) and timeout (microseconds of waiting) are the ones acted upon.
   */
  'parameters': ({[key: string]: _inference_InferParameter__Output});
  'inputs': (_inference_ModelInferRequest_InferInputTensor__Output)[];
  /**
   * Empty: all outputs.
   */
  'outputs': (_inference_ModelInferRequest_InferRequestedOutputTensor__Output)[];
  /**
   * One entry per input, in the order of inputs: little-endian elements in row-major order without padding; a BYTES
   * element is a 4-byte little-endian length and that many bytes. All inputs are raw, or none is.
   */
  'raw_input_contents': (Buffer)[];
}
