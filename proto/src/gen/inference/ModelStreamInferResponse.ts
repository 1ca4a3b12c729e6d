// Original file: inference/grpc_service.proto

import type { ModelInferResponse as _inference_ModelInferResponse, ModelInferResponse__Output as _inference_ModelInferResponse__Output } from '../inference/ModelInferResponse.js';

export interface ModelStreamInferResponse {
  /**
   * Not empty: this request failed, and the stream goes on.
   */
  'error_message'?: (string);
  /**
   * On failure it holds the id of the request and nothing else.
   */
  'infer_response'?: (_inference_ModelInferResponse | null);
}

export interface ModelStreamInferResponse__Output {
  /**
   * Not empty: this request failed, and the stream goes on.
   */
  'error_message': (string);
  /**
   * On failure it holds the id of the request and nothing else.
   */
  'infer_response': (_inference_ModelInferResponse__Output | null);
}
