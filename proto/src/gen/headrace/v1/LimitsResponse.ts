// Original file: headrace/v1/traffic.proto

import type { TenantUse as _headrace_v1_TenantUse, TenantUse__Output as _headrace_v1_TenantUse__Output } from '../../headrace/v1/TenantUse.js';
import type { ModelUse as _headrace_v1_ModelUse, ModelUse__Output as _headrace_v1_ModelUse__Output } from '../../headrace/v1/ModelUse.js';
import type { Long } from '@grpc/proto-loader';

export interface LimitsResponse {
  /**
   * Refusals are counted and not made.
   */
  'shadow'?: (boolean);
  /**
   * "none", "local" (each gateway counts for itself), "shared", or "local share" (shared, but Redis cannot be asked).
   */
  'quotas'?: (string);
  'tenants'?: (_headrace_v1_TenantUse)[];
  'models'?: (_headrace_v1_ModelUse)[];
  /**
   * Tenants that the gateway remembers.
   */
  'known_tenants'?: (number | string | Long);
}

export interface LimitsResponse__Output {
  /**
   * Refusals are counted and not made.
   */
  'shadow': (boolean);
  /**
   * "none", "local" (each gateway counts for itself), "shared", or "local share" (shared, but Redis cannot be asked).
   */
  'quotas': (string);
  'tenants': (_headrace_v1_TenantUse__Output)[];
  'models': (_headrace_v1_ModelUse__Output)[];
  /**
   * Tenants that the gateway remembers.
   */
  'known_tenants': (string);
}
