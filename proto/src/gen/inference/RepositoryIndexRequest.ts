// Original file: inference/grpc_service.proto


export interface RepositoryIndexRequest {
  /**
   * Empty: all repositories.
   */
  'repository_name'?: (string);
  /**
   * True: only models that are ready.
   */
  'ready'?: (boolean);
}

export interface RepositoryIndexRequest__Output {
  /**
   * Empty: all repositories.
   */
  'repository_name': (string);
  /**
   * True: only models that are ready.
   */
  'ready': (boolean);
}
