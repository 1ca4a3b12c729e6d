// Original file: inference/grpc_service.proto


export interface ModelReadyRequest {
  'name'?: (string);
  /**
   * Empty: the version that the server would pick for a request without one.
   */
  'version'?: (string);
}

export interface ModelReadyRequest__Output {
  'name': (string);
  /**
   * Empty: the version that the server would pick for a request without one.
   */
  'version': (string);
}
