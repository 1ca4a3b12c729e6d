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
