import type { MethodDefinition, PackageDefinition } from '@grpc/proto-loader';

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

/**
 * The service called `name` with a codec per method, typed by its generated Definition.
 *
 * The loader itself knows names at run time only; that Definition belongs to `name` is what the caller states.
 */
export function serviceCodecs<Definition>(loaded: PackageDefinition, name: string): Service<Definition> {
  const definition = loaded[name];
  if (definition === undefined || 'format' in definition) throw new Error(`no service ${name} in the .proto files`);
  const methods = Object.fromEntries(
    Object.entries(definition).map(([methodName, method]) => [
      methodName,
      {
        path: method.path,
        requestStream: method.requestStream,
        responseStream: method.responseStream,
        request: { encode: method.requestSerialize, decode: method.requestDeserialize },
        response: { encode: method.responseSerialize, decode: method.responseDeserialize },
      },
    ]),
  );
  return { name, methods: methods as Service<Definition>['methods'] };
}

/** The codec of the message type called `name`, typed by its generated interfaces. */
export function messageCodec<Input, Output>(loaded: PackageDefinition, name: string): Codec<Input, Output> {
  const definition = loaded[name];
  if (definition === undefined || !('serialize' in definition)) throw new Error(`no message ${name} in the .proto files`);
  const { serialize, deserialize } = definition as unknown as {
    serialize: (message: Input) => Buffer;
    deserialize: (bytes: Buffer) => Output;
  };
  return { encode: serialize, decode: deserialize };
}
