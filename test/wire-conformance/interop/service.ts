import { setTimeout as sleep } from 'node:timers/promises';
import { Metadata } from '@headrace/wire';
import type { MethodHandler, ServerCall, StreamCall } from '@headrace/wire';
import type { StatusCode } from '@headrace/runtime';
import {
  readSimpleRequest,
  readStreamingInput,
  readStreamingOutputRequest,
  writeAggregatedBytes,
  writeSimpleResponse,
  writeStreamingOutput,
} from './messages.js';
import type { ResponseParameters } from './messages.js';

export const servicePath = '/grpc.testing.TestService';
const initialKey = 'x-grpc-test-echo-initial';
const trailingKey = 'x-grpc-test-echo-trailing-bin';
const empty = Buffer.alloc(0);

/** grpc.testing.TestService on the port, as grpc/doc/interop-test-descriptions wants a server. UnimplementedCall is left out, as it says. */
export function testService(): readonly MethodHandler[] {
  return [
    { kind: 'unary', path: `${servicePath}/EmptyCall`, handle: (_message, call) => call.reply(empty) },
    {
      kind: 'unary',
      path: `${servicePath}/UnaryCall`,
      handle: (message, call) => {
        const request = readSimpleRequest(message);
        const trailers = echoMetadata(call);
        if (request.status !== undefined && request.status.code !== 0) {
          call.fail({ code: request.status.code as StatusCode, message: request.status.message, trailers });
        } else call.reply(writeSimpleResponse(request.responseBytes, request.fillServerId === true ? 'headrace' : undefined), trailers);
      },
    },
    {
      kind: 'stream',
      path: `${servicePath}/StreamingInputCall`,
      handle: (call) => {
        let bytes = 0;
        call.onMessage((message) => {
          bytes += readStreamingInput(message);
        });
        call.onEnd(() => {
          call.write(writeAggregatedBytes(bytes));
          call.end();
        });
      },
    },
    { kind: 'stream', path: `${servicePath}/StreamingOutputCall`, handle: (call) => answerInTurn(call) },
    { kind: 'stream', path: `${servicePath}/FullDuplexCall`, handle: (call) => answerInTurn(call) },
    { kind: 'stream', path: `${servicePath}/HalfDuplexCall`, handle: (call) => answerAtEnd(call) },
  ];
}

/** Each request is answered with the messages it asks for before the next one is looked at. */
function answerInTurn(call: StreamCall): void {
  const trailers = echoMetadata(call);
  let turn = Promise.resolve();
  call.onMessage((message) => {
    const { responses, status } = readStreamingOutputRequest(message);
    if (status !== undefined && status.code !== 0) {
      turn = turn.then(() => call.fail({ code: status.code as StatusCode, message: status.message, trailers }));
    } else turn = turn.then(() => writeAll(call, responses));
  });
  call.onEnd(() => void turn.then(() => call.end(trailers)));
}

function answerAtEnd(call: StreamCall): void {
  const asked: ResponseParameters[] = [];
  call.onMessage((message) => asked.push(...readStreamingOutputRequest(message).responses));
  call.onEnd(() => void writeAll(call, asked).then(() => call.end()));
}

async function writeAll(call: StreamCall, responses: readonly ResponseParameters[]): Promise<void> {
  for (const { bytes, intervalUs = 0 } of responses) {
    if (intervalUs > 0) await sleep(intervalUs / 1_000);
    if (call.cancelled) return;
    call.write(writeStreamingOutput(bytes));
  }
}

/** Sends what is to come back at once, and returns what is to come back at the end. */
function echoMetadata(call: ServerCall): Metadata {
  const initial = call.metadata.get(initialKey);
  if (initial !== undefined) call.sendHeaders(Metadata.of({ [initialKey]: initial }));
  const trailers = new Metadata();
  const trailing = call.metadata.getBinary(trailingKey);
  if (trailing !== undefined) trailers.set(trailingKey, trailing);
  return trailers;
}
