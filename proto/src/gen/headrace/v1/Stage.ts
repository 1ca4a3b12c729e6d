// Original file: headrace/v1/traffic.proto


export interface Stage {
  /**
   * "identity" (only where it was waited for: a credential that was new), "admission", "queue", "run", "reply".
   */
  'name'?: (string);
  'ms'?: (number | string);
}

export interface Stage__Output {
  /**
   * "identity" (only where it was waited for: a credential that was new), "admission", "queue", "run", "reply".
   */
  'name': (string);
  'ms': (number);
}
