import { fromBinary } from '@bufbuild/protobuf';
import { FieldDescriptorProto_Type, FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { protoFileNames } from '../proto-files.js';
import { messageType } from '../testing/full-decoder.js';
import { fileDescriptorProtos, modelConfigRoot } from './file-descriptors.js';

const files = fileDescriptorProtos().map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));

describe('file descriptors', () => {
  it('are one per .proto under the name an import uses, and the well-known types they import', () => {
    expect(files.map((file) => file.name).sort()).toEqual(
      [...protoFileNames, 'google/protobuf/any.proto', 'google/protobuf/duration.proto'].sort(),
    );
  });

  it('come after what they import', () => {
    for (const [index, file] of files.entries()) {
      const before = files.slice(0, index).map((earlier) => earlier.name);
      for (const imported of file.dependency) expect(before).toContain(imported);
    }
    expect(files.find((file) => file.name === 'inference/grpc_service.proto')?.dependency).toEqual(['inference/model_config.proto']);
  });

  it('name types in full and map entries as protoc does', () => {
    const request = files.flatMap((file) => file.messageType).find((message) => message.name === 'ModelInferRequest');
    const parameters = request?.field.find((field) => field.name === 'parameters');
    expect(parameters).toMatchObject({ type: FieldDescriptorProto_Type.MESSAGE, typeName: '.inference.ModelInferRequest.ParametersEntry' });
    const entry = request?.nestedType.find((nested) => nested.name === 'ParametersEntry');
    expect(entry?.options?.mapEntry).toBe(true);
    expect(entry?.field[1]?.typeName).toBe('.inference.InferParameter');
  });

  it('describe an optional field and what comes packed', () => {
    const violation = messageType('google.rpc.QuotaFailure.Violation').field['futureQuotaValue'];
    expect(violation?.proto.proto3Optional).toBe(true);
    const shape = messageType('inference.ModelInferRequest.InferInputTensor').field['shape'];
    expect(shape?.fieldKind === 'list' && shape.packed).toBe(true);
  });
});

describe('the reflected ModelConfig', () => {
  it('has the fields of config.pbtxt under their written names', () => {
    const config = modelConfigRoot();
    expect(config.fields['max_batch_size']?.id).toBe(4);
    expect(config.fields['dynamic_batching']?.resolvedType?.fullName).toBe('.inference.ModelDynamicBatching');
  });
});
