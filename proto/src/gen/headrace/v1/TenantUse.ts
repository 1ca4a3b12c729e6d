// Original file: headrace/v1/traffic.proto

import type { Use as _headrace_v1_Use, Use__Output as _headrace_v1_Use__Output } from '../../headrace/v1/Use.js';
import type { Long } from '@grpc/proto-loader';

/**
 * Amounts without a limit have limit 0.
 */
export interface TenantUse {
  /**
   * "" for callers whom nothing names.
   */
  'tenant'?: (string);
  'tier'?: (string);
  'weight'?: (number | string);
  'requests'?: (_headrace_v1_Use | null);
  'compute_ms'?: (_headrace_v1_Use | null);
  'in_flight'?: (number | string | Long);
  'concurrency_limit'?: (number | string | Long);
  'admitted'?: (number | string | Long);
  /**
   * By refusal reason; in shadow mode those that would have been.
   */
  'refused'?: ({[key: string]: number | string | Long});
}

/**
 * Amounts without a limit have limit 0.
 */
export interface TenantUse__Output {
  /**
   * "" for callers whom nothing names.
   */
  'tenant': (string);
  'tier': (string);
  'weight': (number);
  'requests': (_headrace_v1_Use__Output | null);
  'compute_ms': (_headrace_v1_Use__Output | null);
  'in_flight': (string);
  'concurrency_limit': (string);
  'admitted': (string);
  /**
   * By refusal reason; in shadow mode those that would have been.
   */
  'refused': ({[key: string]: string});
}
