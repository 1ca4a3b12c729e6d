// Original file: headrace/v1/traffic.proto


export interface Stage {
  /**
   * "admission", "queue", "run", "reply".
   */
  'name'?: (string);
  'ms'?: (number | string);
}

export interface Stage__Output {
  /**
   * "admission", "queue", "run", "reply".
   */
  'name': (string);
  'ms': (number);
}
