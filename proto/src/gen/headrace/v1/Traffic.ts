// Original file: headrace/v1/traffic.proto

import type { MethodDefinition } from '@grpc/proto-loader'
import type { ExplainRequest as _headrace_v1_ExplainRequest, ExplainRequest__Output as _headrace_v1_ExplainRequest__Output } from '../../headrace/v1/ExplainRequest.js';
import type { ExplainResponse as _headrace_v1_ExplainResponse, ExplainResponse__Output as _headrace_v1_ExplainResponse__Output } from '../../headrace/v1/ExplainResponse.js';
import type { LimitsRequest as _headrace_v1_LimitsRequest, LimitsRequest__Output as _headrace_v1_LimitsRequest__Output } from '../../headrace/v1/LimitsRequest.js';
import type { LimitsResponse as _headrace_v1_LimitsResponse, LimitsResponse__Output as _headrace_v1_LimitsResponse__Output } from '../../headrace/v1/LimitsResponse.js';

export interface TrafficDefinition {
  Explain: MethodDefinition<_headrace_v1_ExplainRequest, _headrace_v1_ExplainResponse, _headrace_v1_ExplainRequest__Output, _headrace_v1_ExplainResponse__Output>
  Limits: MethodDefinition<_headrace_v1_LimitsRequest, _headrace_v1_LimitsResponse, _headrace_v1_LimitsRequest__Output, _headrace_v1_LimitsResponse__Output>
}
