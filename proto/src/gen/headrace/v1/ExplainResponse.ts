// Original file: headrace/v1/traffic.proto

import type { Explanation as _headrace_v1_Explanation, Explanation__Output as _headrace_v1_Explanation__Output } from '../../headrace/v1/Explanation.js';
import type { Long } from '@grpc/proto-loader';

export interface ExplainResponse {
  /**
   * The latest first; several where a client used one id again. Empty: not known, or too long ago.
   */
  'requests'?: (_headrace_v1_Explanation)[];
  /**
   * How many of the latest requests are remembered, and since when, ms ago.
   */
  'remembered'?: (number | string | Long);
  'oldest_ms_ago'?: (number | string);
}

export interface ExplainResponse__Output {
  /**
   * The latest first; several where a client used one id again. Empty: not known, or too long ago.
   */
  'requests': (_headrace_v1_Explanation__Output)[];
  /**
   * How many of the latest requests are remembered, and since when, ms ago.
   */
  'remembered': (string);
  'oldest_ms_ago': (number);
}
