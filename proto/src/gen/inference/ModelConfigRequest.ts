// Original file: inference/grpc_service.proto


export interface ModelConfigRequest {
  'name'?: (string);
  /**
   * Empty: the version that the server would pick for a request without one.
   */
  'version'?: (string);
}

export interface ModelConfigRequest__Output {
  'name': (string);
  /**
   * Empty: the version that the server would pick for a request without one.
   */
  'version': (string);
}
