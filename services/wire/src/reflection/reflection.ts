import { reflectionV1AlphaService, reflectionV1Service } from '@headrace/proto';
import { refuse, statusCode } from '@headrace/runtime';
import type { StreamCall, WireServer } from '../port.js';
import { refusalToStatus } from '../status.js';
import { DescriptorIndex } from './descriptor-index.js';

/** v1 and v1alpha have the same messages under two package names. */
type Codecs = (typeof reflectionV1Service)['methods']['ServerReflectionInfo'];
type Request = ReturnType<Codecs['request']['decode']>;
type Response = Parameters<Codecs['response']['encode']>[0];

/**
 * Server reflection (grpc/doc/server-reflection.md), so that grpcurl and the like need no .proto files.
 * `fileDescriptors`: encoded FileDescriptorProto messages. Call it before listen.
 */
export function registerReflection(server: WireServer, fileDescriptors: readonly Buffer[]): void {
  const index = new DescriptorIndex(fileDescriptors);
  for (const service of [reflectionV1Service, reflectionV1AlphaService]) {
    const codecs: Codecs = service.methods.ServerReflectionInfo;
    server.register({ kind: 'stream', path: codecs.path, handle: (call) => serve(call, codecs, index) });
  }
}

function serve(call: StreamCall, codecs: Codecs, index: DescriptorIndex): void {
  call.onMessage((message) => {
    let request: Request;
    try {
      request = codecs.request.decode(message);
    } catch {
      call.fail(refusalToStatus(refuse('MALFORMED_MESSAGE', 'expected a ServerReflectionRequest')));
      return;
    }
    const response: Response = { valid_host: request.host, original_request: request, ...answer(request, index) };
    // Answers are far larger than questions: who does not read them gets no further question read.
    if (!call.write(codecs.response.encode(response))) call.pause();
  });
  call.onDrain(() => call.resume());
  call.onEnd(() => call.end());
}

function answer(request: Request, index: DescriptorIndex): Response {
  switch (request.message_request) {
    case 'list_services':
      return { list_services_response: { service: index.services.map((name) => ({ name })) } };
    case 'file_by_filename':
      return files(index.byName(request.file_by_filename ?? ''), 'file', request.file_by_filename);
    case 'file_containing_symbol':
      return files(index.bySymbol(request.file_containing_symbol ?? ''), 'symbol', request.file_containing_symbol);
    case 'file_containing_extension': {
      const { containing_type: type = '', extension_number: number = 0 } = request.file_containing_extension ?? {};
      return notFound(`extension ${number} of ${JSON.stringify(cut(type))}`);
    }
    case 'all_extension_numbers_of_type': {
      const type = request.all_extension_numbers_of_type ?? '';
      // proto3 messages have no extensions: a known type has an empty list of them.
      if (!index.isMessage(type)) return notFound(`type ${JSON.stringify(cut(type))}`);
      return { all_extension_numbers_response: { base_type_name: type, extension_number: [] } };
    }
    default:
      return { error_response: { error_code: statusCode.INVALID_ARGUMENT, error_message: 'the request asks for nothing' } };
  }
}

function files(found: readonly Buffer[] | undefined, what: string, name = ''): Response {
  if (found === undefined) return notFound(`${what} ${JSON.stringify(cut(name))}`);
  return { file_descriptor_response: { file_descriptor_proto: [...found] } };
}

function notFound(what: string): Response {
  return { error_response: { error_code: statusCode.NOT_FOUND, error_message: `${what} is not known here` } };
}

function cut(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 197)}...`;
}
