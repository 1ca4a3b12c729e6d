// Original file: headrace/v1/traffic.proto

import type { Stage as _headrace_v1_Stage, Stage__Output as _headrace_v1_Stage__Output } from '../../headrace/v1/Stage.js';

export interface Explanation {
  'request_id'?: (string);
  'model'?: (string);
  'version'?: (string);
  'tenant'?: (string);
  'tier'?: (string);
  'arrived_ms_ago'?: (number | string);
  /**
   * OK, or why not: one of the closed set of reasons.
   */
  'reason'?: (string);
  /**
   * Of a refusal.
   */
  'message'?: (string);
  /**
   * When it could have come in; 0 where that is not known.
   */
  'retry_after_ms'?: (number | string);
  /**
   * 1 is the highest.
   */
  'band'?: (number);
  /**
   * The priority that was asked for, where the tier did not allow it; 0 otherwise.
   */
  'lowered_from'?: (number);
  /**
   * Milliseconds of each stage that it reached, in order.
   */
  'stages'?: (_headrace_v1_Stage)[];
  'backend'?: (string);
  /**
   * Rows that ran together with it, its own included.
   */
  'batch_rows'?: (number);
  'attempts'?: (number);
}

export interface Explanation__Output {
  'request_id': (string);
  'model': (string);
  'version': (string);
  'tenant': (string);
  'tier': (string);
  'arrived_ms_ago': (number);
  /**
   * OK, or why not: one of the closed set of reasons.
   */
  'reason': (string);
  /**
   * Of a refusal.
   */
  'message': (string);
  /**
   * When it could have come in; 0 where that is not known.
   */
  'retry_after_ms': (number);
  /**
   * 1 is the highest.
   */
  'band': (number);
  /**
   * The priority that was asked for, where the tier did not allow it; 0 otherwise.
   */
  'lowered_from': (number);
  /**
   * Milliseconds of each stage that it reached, in order.
   */
  'stages': (_headrace_v1_Stage__Output)[];
  'backend': (string);
  /**
   * Rows that ran together with it, its own included.
   */
  'batch_rows': (number);
  'attempts': (number);
}
