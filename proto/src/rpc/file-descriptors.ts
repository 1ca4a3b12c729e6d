import { relative, sep } from 'node:path';
import type protobuf from 'protobufjs';
import type {
  IDescriptorProto,
  IEnumDescriptorProto,
  IFieldDescriptorProto,
  IFileDescriptorProto,
  IServiceDescriptorProto,
} from 'protobufjs/ext/descriptor/index.js';
import { protoRoot } from '../loader-options.js';
import { descriptorMessages, protobufjs } from './protobufjs.js';
import { reflectedRoot } from './reflected-root.js';

/*
 * protobufjs can describe itself (Root.toDescriptor), but it makes one file per package, writes relative type names and names
 * map entries after the field alone. protoc's rules, which Go's and Python's descriptor pools insist on, are one file
 * per .proto, full type names (".inference.ModelConfig") and "<FieldName>Entry". Hence the conversion here.
 */

/** FieldDescriptorProto.Type, from google/protobuf/descriptor.proto. */
const fieldType: Readonly<Record<string, number>> = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  fixed64: 6,
  fixed32: 7,
  bool: 8,
  string: 9,
  bytes: 12,
  uint32: 13,
  sfixed32: 15,
  sfixed64: 16,
  sint32: 17,
  sint64: 18,
};
const messageType = 11;
const enumType = 14;
const labelOptional = 1;
const labelRepeated = 3;

/** The reflected type inference.ModelConfig, for parsing config.pbtxt field by field. */
export function modelConfigRoot(): protobuf.Type {
  return reflectedRoot().lookupType('inference.ModelConfig');
}

/**
 * Encoded google.protobuf.FileDescriptorProto of every .proto file here and of what they import, imports first: what
 * server reflection answers with, and a FileDescriptorSet when each is written as field 1.
 */
export function fileDescriptorProtos(): readonly Buffer[] {
  const { Enum, Namespace, Service, Type } = protobufjs();
  const { FileDescriptorProto } = descriptorMessages();
  const files = new Map<string, Required<Pick<IFileDescriptorProto, 'messageType' | 'enumType' | 'service'>> & IFileDescriptorProto>();
  const dependencies = new Map<string, Set<string>>();

  const visit = (namespace: protobuf.NamespaceBase): void => {
    for (const object of namespace.nestedArray) {
      if (!(object instanceof Type || object instanceof Enum || object instanceof Service)) {
        if (object instanceof Namespace) visit(object);
        continue;
      }
      const name = fileOf(object);
      let file = files.get(name);
      if (file === undefined) {
        file = { name, package: namespace.fullName.slice(1), syntax: 'proto3', messageType: [], enumType: [], service: [] };
        files.set(name, file);
        dependencies.set(name, new Set());
      }
      const imports = (used: protobuf.ReflectionObject): void => {
        const other = fileOf(used);
        if (other !== name) dependencies.get(name)?.add(other);
      };
      if (object instanceof Type) file.messageType.push(describeMessage(object, imports));
      else if (object instanceof Enum) file.enumType.push(describeEnum(object));
      else file.service.push(describeService(object, imports));
    }
  };
  visit(reflectedRoot());

  const ordered: Buffer[] = [];
  const done = new Set<string>();
  const emit = (name: string): void => {
    if (done.has(name)) return;
    done.add(name);
    const dependency = [...(dependencies.get(name) ?? [])].sort();
    for (const imported of dependency) emit(imported);
    const message = FileDescriptorProto.fromObject({ ...files.get(name), dependency });
    ordered.push(Buffer.from(FileDescriptorProto.encode(message).finish()));
  };
  for (const name of [...files.keys()].sort()) emit(name);
  return ordered;
}

/** Name of the .proto that declares an object, as an import would write it. */
function fileOf(object: protobuf.ReflectionObject): string {
  const { Type } = protobufjs();
  let top = object;
  while (top.parent instanceof Type) top = top.parent;
  // protobufjs carries Google's well-known types inside and gives them no file name.
  if (top.filename === null) return `google/protobuf/${top.name.toLowerCase()}.proto`;
  return relative(protoRoot, top.filename).split(sep).join('/');
}

function describeMessage(type: protobuf.Type, imports: (used: protobuf.ReflectionObject) => void): IDescriptorProto {
  const { Enum, MapField, Type } = protobufjs();
  const nestedType: IDescriptorProto[] = [];
  const nestedEnum: IEnumDescriptorProto[] = [];
  for (const nested of type.nestedArray) {
    if (nested instanceof Type) nestedType.push(describeMessage(nested, imports));
    else if (nested instanceof Enum) nestedEnum.push(describeEnum(nested));
  }
  const field = type.fieldsArray.map((declared): IFieldDescriptorProto => {
    const described = describeField(declared, imports);
    if (declared.partOf) {
      described.oneofIndex = type.oneofsArray.indexOf(declared.partOf);
      if (declared.getOption('proto3_optional')) Object.assign(described, { proto3Optional: true });
    }
    if (!(declared instanceof MapField)) return described;
    const entryName = `${pascalCase(declared.name)}Entry`;
    nestedType.push({
      name: entryName,
      field: [
        { name: 'key', number: 1, label: labelOptional, jsonName: 'key', type: fieldType[declared.keyType] as never },
        { ...described, name: 'value', number: 2, label: labelOptional, jsonName: 'value' },
      ],
      options: { mapEntry: true },
    });
    return {
      name: declared.name,
      number: declared.id,
      label: labelRepeated,
      jsonName: camelCase(declared.name),
      type: messageType,
      typeName: `${type.fullName}.${entryName}`,
    };
  });
  return {
    name: type.name,
    field,
    nestedType,
    enumType: nestedEnum,
    oneofDecl: type.oneofsArray.map((oneof) => ({ name: oneof.name })),
    // A reserved range ends before `end` in a descriptor, with it in protobufjs.
    reservedRange: (type.reserved ?? []).flatMap((range) =>
      typeof range === 'string' ? [] : [{ start: range[0], end: (range[1] ?? 0) + 1 }],
    ),
    reservedName: (type.reserved ?? []).filter((name) => typeof name === 'string'),
  } as IDescriptorProto;
}

function describeField(field: protobuf.Field, imports: (used: protobuf.ReflectionObject) => void): IFieldDescriptorProto {
  const described: IFieldDescriptorProto = {
    name: field.name,
    number: field.id,
    label: field.repeated ? labelRepeated : labelOptional,
    jsonName: camelCase(field.name),
  };
  if (field.resolvedType === null) return { ...described, type: fieldType[field.type] as never };
  imports(field.resolvedType);
  const { Enum } = protobufjs();
  return {
    ...described,
    type: field.resolvedType instanceof Enum ? enumType : messageType,
    typeName: field.resolvedType.fullName,
  };
}

function describeEnum(object: protobuf.Enum): IEnumDescriptorProto {
  return { name: object.name, value: Object.entries(object.values).map(([name, number]) => ({ name, number })) };
}

function describeService(service: protobuf.Service, imports: (used: protobuf.ReflectionObject) => void): IServiceDescriptorProto {
  return {
    name: service.name,
    method: service.methodsArray.map((method) => {
      const { resolvedRequestType: request, resolvedResponseType: response } = method;
      if (request === null || response === null) throw new Error(`unresolved types of method ${method.fullName}`);
      imports(request);
      imports(response);
      return {
        name: method.name,
        inputType: request.fullName,
        outputType: response.fullName,
        ...(method.requestStream ? { clientStreaming: true } : {}),
        ...(method.responseStream ? { serverStreaming: true } : {}),
      };
    }),
  };
}

/** protoc's JSON name: raw_input_contents becomes rawInputContents. */
function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_match, next: string) => next.toUpperCase());
}

function pascalCase(name: string): string {
  const camel = camelCase(name);
  return camel.charAt(0).toUpperCase() + camel.slice(1);
}
