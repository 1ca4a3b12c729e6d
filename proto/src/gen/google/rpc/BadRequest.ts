// Original file: google/rpc/error_details.proto

import type { LocalizedMessage as _google_rpc_LocalizedMessage, LocalizedMessage__Output as _google_rpc_LocalizedMessage__Output } from '../../google/rpc/LocalizedMessage.js';

export interface _google_rpc_BadRequest_FieldViolation {
  /**
   * Path to the field, e.g. inputs[0].shape.
   */
  'field'?: (string);
  'description'?: (string);
  'reason'?: (string);
  'localized_message'?: (_google_rpc_LocalizedMessage | null);
}

export interface _google_rpc_BadRequest_FieldViolation__Output {
  /**
   * Path to the field, e.g. inputs[0].shape.
   */
  'field': (string);
  'description': (string);
  'reason': (string);
  'localized_message': (_google_rpc_LocalizedMessage__Output | null);
}

/**
 * Which fields of the request are wrong.
 */
export interface BadRequest {
  'field_violations'?: (_google_rpc_BadRequest_FieldViolation)[];
}

/**
 * Which fields of the request are wrong.
 */
export interface BadRequest__Output {
  'field_violations': (_google_rpc_BadRequest_FieldViolation__Output)[];
}
