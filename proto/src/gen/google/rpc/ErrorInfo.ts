// Original file: google/rpc/error_details.proto


/**
 * The reason as a constant a program can compare.
 */
export interface ErrorInfo {
  /**
   * UPPER_SNAKE_CASE.
   */
  'reason'?: (string);
  'domain'?: (string);
  'metadata'?: ({[key: string]: string});
}

/**
 * The reason as a constant a program can compare.
 */
export interface ErrorInfo__Output {
  /**
   * UPPER_SNAKE_CASE.
   */
  'reason': (string);
  'domain': (string);
  'metadata': ({[key: string]: string});
}
