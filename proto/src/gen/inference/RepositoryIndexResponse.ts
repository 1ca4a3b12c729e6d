// Original file: inference/grpc_service.proto


export interface _inference_RepositoryIndexResponse_ModelIndex {
  'name'?: (string);
  'version'?: (string);
  /**
   * READY, UNAVAILABLE, LOADING, UNLOADING, or empty when never loaded.
   */
  'state'?: (string);
  /**
   * Why it is in that state, when it is not ready.
   */
  'reason'?: (string);
}

export interface _inference_RepositoryIndexResponse_ModelIndex__Output {
  'name': (string);
  'version': (string);
  /**
   * READY, UNAVAILABLE, LOADING, UNLOADING, or empty when never loaded.
   */
  'state': (string);
  /**
   * Why it is in that state, when it is not ready.
   */
  'reason': (string);
}

export interface RepositoryIndexResponse {
  'models'?: (_inference_RepositoryIndexResponse_ModelIndex)[];
}

export interface RepositoryIndexResponse__Output {
  'models': (_inference_RepositoryIndexResponse_ModelIndex__Output)[];
}
