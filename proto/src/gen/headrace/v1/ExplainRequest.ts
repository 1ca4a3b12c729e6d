// Original file: headrace/v1/traffic.proto


export interface ExplainRequest {
  /**
   * The x-request-id, as the client gave it or the reply told it.
   */
  'request_id'?: (string);
}

export interface ExplainRequest__Output {
  /**
   * The x-request-id, as the client gave it or the reply told it.
   */
  'request_id': (string);
}
