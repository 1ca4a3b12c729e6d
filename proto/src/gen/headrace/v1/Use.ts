// Original file: headrace/v1/traffic.proto


export interface Use {
  /**
   * Per second; 0 for none.
   */
  'limit'?: (number | string);
  /**
   * What could be taken at this moment.
   */
  'left'?: (number | string);
  /**
   * Taken since the tenant was first seen.
   */
  'used'?: (number | string);
}

export interface Use__Output {
  /**
   * Per second; 0 for none.
   */
  'limit': (number);
  /**
   * What could be taken at this moment.
   */
  'left': (number);
  /**
   * Taken since the tenant was first seen.
   */
  'used': (number);
}
