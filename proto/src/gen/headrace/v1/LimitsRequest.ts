// Original file: headrace/v1/traffic.proto


export interface LimitsRequest {
  /**
   * Only this tenant; "" for those that the policy names and the busiest of the others.
   */
  'tenant'?: (string);
  /**
   * How many of those that the policy does not name, the busiest first; 0: 20.
   */
  'most_others'?: (number);
}

export interface LimitsRequest__Output {
  /**
   * Only this tenant; "" for those that the policy names and the busiest of the others.
   */
  'tenant': (string);
  /**
   * How many of those that the policy does not name, the busiest first; 0: 20.
   */
  'most_others': (number);
}
