export { datatypeBytes, isDatatype } from './infer/datatype.js';
export type { Datatype } from './infer/datatype.js';
export { metadataKey, reportParameter, requestParameter } from './infer/report.js';
export type {
  ByteRange,
  InferRequestToWrite,
  InferRequestView,
  InferResponseToWrite,
  InferResponseView,
  InputView,
  OutputView,
  ParameterValue,
  RequestedOutputView,
  ScanFailure,
  ScanResult,
  TensorToWrite,
} from './infer/request.js';
export { decodeContents } from './infer/contents.js';
export type { DecodedContents } from './infer/contents.js';
export { scanInferRequest } from './infer/scan-request.js';
export { RequestScanner } from './infer/request-scanner.js';
export type { RequestForm } from './infer/request-form.js';
export { PreparedInferResponse } from './infer/prepared-response.js';
export type { ResponsePattern } from './infer/prepared-response.js';
export { scanInferResponse } from './infer/scan-response.js';
export { writeInferRequest } from './infer/write-request.js';
export { writeInferResponse } from './infer/write-response.js';
export { loaderOptions } from './loader-options.js';
export { protoFile, protoFileNames } from './proto-files.js';
export type { ProtoFileName } from './proto-files.js';
export type { Codec, Method, Service } from './rpc/codec.js';
export { rpcDetails } from './rpc/details.js';
export type { ReceivedStatus, ReceivedStatusDetail, StatusDetail } from './rpc/details.js';
export { fileDescriptorProtos, modelConfigRoot } from './rpc/file-descriptors.js';
export { healthService, inferenceService, reflectionV1AlphaService, reflectionV1Service, trafficService } from './rpc/services.js';
export type { ExplainResponse, ExplainResponse__Output } from './gen/headrace/v1/ExplainResponse.js';
export type { Explanation, Explanation__Output } from './gen/headrace/v1/Explanation.js';
export type { LimitsResponse, LimitsResponse__Output } from './gen/headrace/v1/LimitsResponse.js';
export type { ModelUse, ModelUse__Output } from './gen/headrace/v1/ModelUse.js';
export type { TenantUse, TenantUse__Output } from './gen/headrace/v1/TenantUse.js';
