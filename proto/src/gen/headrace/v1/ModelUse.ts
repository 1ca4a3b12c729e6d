// Original file: headrace/v1/traffic.proto

import type { Long } from '@grpc/proto-loader';

export interface ModelUse {
  'model'?: (string);
  /**
   * Requests accepted and not answered.
   */
  'under_way'?: (number | string | Long);
  /**
   * The adaptive limit on them; 0 for none.
   */
  'limit'?: (number | string);
  'queued_rows'?: (number | string);
}

export interface ModelUse__Output {
  'model': (string);
  /**
   * Requests accepted and not answered.
   */
  'under_way': (string);
  /**
   * The adaptive limit on them; 0 for none.
   */
  'limit': (number);
  'queued_rows': (number);
}
