// Original file: grpc/reflection/v1/reflection.proto


export interface FileDescriptorResponse {
  /**
   * Encoded google.protobuf.FileDescriptorProto: the file asked for, then what it imports.
   */
  'file_descriptor_proto'?: (Buffer | Uint8Array | string)[];
}

export interface FileDescriptorResponse__Output {
  /**
   * Encoded google.protobuf.FileDescriptorProto: the file asked for, then what it imports.
   */
  'file_descriptor_proto': (Buffer)[];
}
