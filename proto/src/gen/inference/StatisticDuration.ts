// Original file: inference/grpc_service.proto

import type { Long } from '@grpc/proto-loader';

export interface StatisticDuration {
  'count'?: (number | string | Long);
  /**
   * Sum over count, in nanoseconds.
   */
  'ns'?: (number | string | Long);
}

export interface StatisticDuration__Output {
  'count': (string);
  /**
   * Sum over count, in nanoseconds.
   */
  'ns': (string);
}
