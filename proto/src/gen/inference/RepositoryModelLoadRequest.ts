// Original file: inference/grpc_service.proto

import type { ModelRepositoryParameter as _inference_ModelRepositoryParameter, ModelRepositoryParameter__Output as _inference_ModelRepositoryParameter__Output } from '../inference/ModelRepositoryParameter.js';

export interface RepositoryModelLoadRequest {
  'repository_name'?: (string);
  'model_name'?: (string);
  /**
   * "config": the configuration as JSON. "file:<version>/<name>": contents of a file in place of the one on disk.
   */
  'parameters'?: ({[key: string]: _inference_ModelRepositoryParameter});
}

export interface RepositoryModelLoadRequest__Output {
  'repository_name': (string);
  'model_name': (string);
  /**
   * "config": the configuration as JSON. "file:<version>/<name>": contents of a file in place of the one on disk.
   */
  'parameters': ({[key: string]: _inference_ModelRepositoryParameter__Output});
}
