/** Every service by full name: its methods, with their types by full name. */
export const methodTypes = {
  'grpc.health.v1.Health': {
    Check: {
      request: 'grpc.health.v1.HealthCheckRequest',
      response: 'grpc.health.v1.HealthCheckResponse',
      requestStream: false,
      responseStream: false,
    },
    List: {
      request: 'grpc.health.v1.HealthListRequest',
      response: 'grpc.health.v1.HealthListResponse',
      requestStream: false,
      responseStream: false,
    },
    Watch: {
      request: 'grpc.health.v1.HealthCheckRequest',
      response: 'grpc.health.v1.HealthCheckResponse',
      requestStream: false,
      responseStream: true,
    },
  },
  'grpc.reflection.v1.ServerReflection': {
    ServerReflectionInfo: {
      request: 'grpc.reflection.v1.ServerReflectionRequest',
      response: 'grpc.reflection.v1.ServerReflectionResponse',
      requestStream: true,
      responseStream: true,
    },
  },
  'grpc.reflection.v1alpha.ServerReflection': {
    ServerReflectionInfo: {
      request: 'grpc.reflection.v1alpha.ServerReflectionRequest',
      response: 'grpc.reflection.v1alpha.ServerReflectionResponse',
      requestStream: true,
      responseStream: true,
    },
  },
  'headrace.v1.Traffic': {
    Limits: {
      request: 'headrace.v1.LimitsRequest',
      response: 'headrace.v1.LimitsResponse',
      requestStream: false,
      responseStream: false,
    },
    Explain: {
      request: 'headrace.v1.ExplainRequest',
      response: 'headrace.v1.ExplainResponse',
      requestStream: false,
      responseStream: false,
    },
  },
  'inference.GRPCInferenceService': {
    ServerLive: {
      request: 'inference.ServerLiveRequest',
      response: 'inference.ServerLiveResponse',
      requestStream: false,
      responseStream: false,
    },
    ServerReady: {
      request: 'inference.ServerReadyRequest',
      response: 'inference.ServerReadyResponse',
      requestStream: false,
      responseStream: false,
    },
    ModelReady: {
      request: 'inference.ModelReadyRequest',
      response: 'inference.ModelReadyResponse',
      requestStream: false,
      responseStream: false,
    },
    ServerMetadata: {
      request: 'inference.ServerMetadataRequest',
      response: 'inference.ServerMetadataResponse',
      requestStream: false,
      responseStream: false,
    },
    ModelMetadata: {
      request: 'inference.ModelMetadataRequest',
      response: 'inference.ModelMetadataResponse',
      requestStream: false,
      responseStream: false,
    },
    ModelInfer: {
      request: 'inference.ModelInferRequest',
      response: 'inference.ModelInferResponse',
      requestStream: false,
      responseStream: false,
    },
    ModelStreamInfer: {
      request: 'inference.ModelInferRequest',
      response: 'inference.ModelStreamInferResponse',
      requestStream: true,
      responseStream: true,
    },
    ModelConfig: {
      request: 'inference.ModelConfigRequest',
      response: 'inference.ModelConfigResponse',
      requestStream: false,
      responseStream: false,
    },
    ModelStatistics: {
      request: 'inference.ModelStatisticsRequest',
      response: 'inference.ModelStatisticsResponse',
      requestStream: false,
      responseStream: false,
    },
    RepositoryIndex: {
      request: 'inference.RepositoryIndexRequest',
      response: 'inference.RepositoryIndexResponse',
      requestStream: false,
      responseStream: false,
    },
    RepositoryModelLoad: {
      request: 'inference.RepositoryModelLoadRequest',
      response: 'inference.RepositoryModelLoadResponse',
      requestStream: false,
      responseStream: false,
    },
    RepositoryModelUnload: {
      request: 'inference.RepositoryModelUnloadRequest',
      response: 'inference.RepositoryModelUnloadResponse',
      requestStream: false,
      responseStream: false,
    },
    SystemSharedMemoryStatus: {
      request: 'inference.SystemSharedMemoryStatusRequest',
      response: 'inference.SystemSharedMemoryStatusResponse',
      requestStream: false,
      responseStream: false,
    },
    SystemSharedMemoryRegister: {
      request: 'inference.SystemSharedMemoryRegisterRequest',
      response: 'inference.SystemSharedMemoryRegisterResponse',
      requestStream: false,
      responseStream: false,
    },
    SystemSharedMemoryUnregister: {
      request: 'inference.SystemSharedMemoryUnregisterRequest',
      response: 'inference.SystemSharedMemoryUnregisterResponse',
      requestStream: false,
      responseStream: false,
    },
    CudaSharedMemoryStatus: {
      request: 'inference.CudaSharedMemoryStatusRequest',
      response: 'inference.CudaSharedMemoryStatusResponse',
      requestStream: false,
      responseStream: false,
    },
    CudaSharedMemoryRegister: {
      request: 'inference.CudaSharedMemoryRegisterRequest',
      response: 'inference.CudaSharedMemoryRegisterResponse',
      requestStream: false,
      responseStream: false,
    },
    CudaSharedMemoryUnregister: {
      request: 'inference.CudaSharedMemoryUnregisterRequest',
      response: 'inference.CudaSharedMemoryUnregisterResponse',
      requestStream: false,
      responseStream: false,
    },
    TraceSetting: {
      request: 'inference.TraceSettingRequest',
      response: 'inference.TraceSettingResponse',
      requestStream: false,
      responseStream: false,
    },
    LogSettings: {
      request: 'inference.LogSettingsRequest',
      response: 'inference.LogSettingsResponse',
      requestStream: false,
      responseStream: false,
    },
  },
} as const;
