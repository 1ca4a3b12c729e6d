import type { MethodDefinition } from '@grpc/proto-loader';
import type protobuf from 'protobufjs';
import { methodTypes } from '../gen/methods.js';
import { loaderOptions } from '../loader-options.js';
import { reflectedRoot } from './reflected-root.js';
import { strictReader } from './strict-reader.js';

/**
 * Objects to bytes and back, for one message type.
 *
 * encode takes any subset of the fields; decode fills in defaults, keeps the names of the .proto, and gives 64-bit
 * integers and enums as strings. decode throws an Error when the bytes are not such a message.
 */
export interface Codec<Input, Output> {
  encode(message: Input): Buffer;
  decode(bytes: Buffer): Output;
}

export interface Method<RequestInput, RequestOutput, ResponseInput, ResponseOutput> {
  /** As in the HTTP/2 :path, e.g. /inference.GRPCInferenceService/ModelReady. */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  readonly request: Codec<RequestInput, RequestOutput>;
  readonly response: Codec<ResponseInput, ResponseOutput>;
}

type MethodOf<Definition> =
  Definition extends MethodDefinition<infer RequestInput, infer ResponseInput, infer RequestOutput, infer ResponseOutput>
    ? Method<RequestInput, RequestOutput, ResponseInput, ResponseOutput>
    : never;

export interface Service<Definition> {
  /** Full name, e.g. inference.GRPCInferenceService. */
  readonly name: string;
  readonly methods: { readonly [Name in keyof Definition]: MethodOf<Definition[Name]> };
}

/** A method as the generator writes it: its types by their full names. */
interface MethodTypes {
  readonly request: string;
  readonly response: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

/**
 * The service called `name` with a codec per method, typed by its generated Definition.
 *
 * Names and directions come from generated code; the .proto files are read when a codec is first used. That Definition
 * belongs to `name` is what the caller states.
 */
export function serviceCodecs<Definition>(name: keyof typeof methodTypes): Service<Definition> {
  const types: Readonly<Record<string, MethodTypes>> = methodTypes[name];
  const methods = Object.fromEntries(
    Object.entries(types).map(([methodName, { request, response, requestStream, responseStream }]) => [
      methodName,
      {
        path: `/${name}/${methodName}`,
        requestStream,
        responseStream,
        request: messageCodec(request),
        response: messageCodec(response),
      },
    ]),
  );
  return { name, methods: methods as Service<Definition>['methods'] };
}

/** The codec of the message type called `name`, typed by its generated interfaces, which the caller states belong to it. */
export function messageCodec<Input extends object, Output>(name: string): Codec<Input, Output> {
  let found: protobuf.Type | undefined;
  const type = (): protobuf.Type => (found ??= reflectedRoot().lookupType(name));
  return {
    encode: (message) => Buffer.from(type().encode(type().fromObject(message)).finish()),
    decode: (bytes) => type().toObject(type().decode(strictReader(bytes)), loaderOptions) as Output,
  };
}
