import { statusCode, systemClock } from '@headrace/runtime';
import { Metadata } from '@headrace/wire';
import type { Channel, UnaryOutcome, WireStatus } from '@headrace/wire';
import { expect } from 'vitest';
import { Conversation, callUnary } from '../calls.js';
import {
  readAggregatedBytes,
  readSimpleResponse,
  readStreamingOutput,
  writeSimpleRequest,
  writeStreamingInput,
  writeStreamingOutputRequest,
} from './messages.js';
import { servicePath } from './service.js';

export interface ClientCase {
  readonly name: string;
  readonly expectCase: (channel: Channel) => Promise<void>;
}

const requestBytes = [27_182, 8, 1_828, 45_904];
const responseBytes = [31_415, 9, 2_653, 58_979];
const largeRequest = writeSimpleRequest({ responseBytes: 314_159, payloadBytes: 271_828 });
const echoed = { initial: 'test_initial_metadata_value', trailing: Buffer.from('ababab', 'hex') };
const metadata = Metadata.of({ 'x-grpc-test-echo-initial': echoed.initial, 'x-grpc-test-echo-trailing-bin': echoed.trailing });
const unknownStatus = { code: statusCode.UNKNOWN, message: 'test status message' };
/** With white space and characters in and above the Basic Multilingual Plane. */
const specialMessage = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n';

const unaryCall = `${servicePath}/UnaryCall`;
const fullDuplex = `${servicePath}/FullDuplexCall`;

/** The client's side of grpc/doc/interop-test-descriptions. */
export const clientCases: readonly ClientCase[] = [
  {
    name: 'empty_unary',
    expectCase: async (channel) => {
      const outcome = await callUnary(channel, `${servicePath}/EmptyCall`, Buffer.alloc(0));
      expect(messageOf(outcome).length).toBe(0);
    },
  },
  { name: 'large_unary', expectCase: async (channel) => expectLarge(await callUnary(channel, unaryCall, largeRequest)) },
  {
    name: 'concurrent_large_unary',
    expectCase: async (channel) => {
      const outcomes = await Promise.all(Array.from({ length: 200 }, () => callUnary(channel, unaryCall, largeRequest)));
      for (const outcome of outcomes) expectLarge(outcome);
    },
  },
  {
    name: 'client_streaming',
    expectCase: async (channel) => {
      const talk = new Conversation(channel, `${servicePath}/StreamingInputCall`);
      for (const bytes of requestBytes) talk.stream.write(writeStreamingInput(bytes));
      talk.stream.end();
      expect((await talk.rest()).map(readAggregatedBytes)).toEqual([74_922]);
      expect(await talk.status).toMatchObject({ code: statusCode.OK });
    },
  },
  {
    name: 'server_streaming',
    expectCase: async (channel) => {
      const talk = new Conversation(channel, `${servicePath}/StreamingOutputCall`);
      talk.stream.write(writeStreamingOutputRequest({ responses: responseBytes.map((bytes) => ({ bytes })), payloadBytes: 0 }));
      talk.stream.end();
      expect((await talk.rest()).map(readStreamingOutput)).toEqual(responseBytes);
      expect(await talk.status).toMatchObject({ code: statusCode.OK });
    },
  },
  {
    name: 'ping_pong',
    expectCase: async (channel) => {
      const talk = new Conversation(channel, fullDuplex);
      for (const [index, bytes] of requestBytes.entries()) {
        talk.stream.write(writeStreamingOutputRequest({ responses: [{ bytes: responseBytes[index] ?? 0 }], payloadBytes: bytes }));
        expect(readStreamingOutput((await talk.next()) ?? Buffer.alloc(0))).toBe(responseBytes[index]);
      }
      talk.stream.end();
      expect(await talk.rest()).toEqual([]);
      expect(await talk.status).toMatchObject({ code: statusCode.OK });
    },
  },
  {
    name: 'empty_stream',
    expectCase: async (channel) => {
      const talk = new Conversation(channel, fullDuplex);
      talk.stream.end();
      expect(await talk.rest()).toEqual([]);
      expect(await talk.status).toMatchObject({ code: statusCode.OK });
    },
  },
  {
    name: 'half_duplex',
    expectCase: async (channel) => {
      const talk = new Conversation(channel, `${servicePath}/HalfDuplexCall`);
      for (const bytes of responseBytes) talk.stream.write(writeStreamingOutputRequest({ responses: [{ bytes }], payloadBytes: 8 }));
      talk.stream.end();
      expect((await talk.rest()).map(readStreamingOutput)).toEqual(responseBytes);
      expect(await talk.status).toMatchObject({ code: statusCode.OK });
    },
  },
  {
    name: 'timeout_on_sleeping_server',
    expectCase: async (channel) => {
      const talk = new Conversation(channel, fullDuplex, { deadlineMs: systemClock.nowMs() + 1 });
      talk.stream.write(writeStreamingOutputRequest({ responses: [], payloadBytes: 27_182 }));
      expect(await talk.status).toMatchObject({ code: statusCode.DEADLINE_EXCEEDED });
    },
  },
  {
    name: 'cancel_after_begin',
    expectCase: async (channel) => {
      const talk = new Conversation(channel, `${servicePath}/StreamingInputCall`, { metadata });
      talk.stream.cancel();
      expect(await talk.status).toMatchObject({ code: statusCode.CANCELLED });
    },
  },
  {
    name: 'cancel_after_first_response',
    expectCase: async (channel) => {
      const talk = new Conversation(channel, fullDuplex);
      talk.stream.write(writeStreamingOutputRequest({ responses: [{ bytes: 31_415 }], payloadBytes: 27_182 }));
      expect(readStreamingOutput((await talk.next()) ?? Buffer.alloc(0))).toBe(31_415);
      talk.stream.cancel();
      expect(await talk.status).toMatchObject({ code: statusCode.CANCELLED });
    },
  },
  {
    name: 'status_code_and_message',
    expectCase: async (channel) => {
      const request = writeSimpleRequest({ responseBytes: 0, payloadBytes: 0, status: unknownStatus });
      expect(failureOf(await callUnary(channel, unaryCall, request))).toMatchObject(unknownStatus);
      const talk = new Conversation(channel, fullDuplex);
      talk.stream.write(writeStreamingOutputRequest({ responses: [], payloadBytes: 0, status: unknownStatus }));
      talk.stream.end();
      expect(await talk.status).toMatchObject(unknownStatus);
    },
  },
  {
    name: 'special_status_message',
    expectCase: async (channel) => {
      const status = { code: statusCode.UNKNOWN, message: specialMessage };
      const request = writeSimpleRequest({ responseBytes: 0, payloadBytes: 0, status });
      expect(failureOf(await callUnary(channel, unaryCall, request))).toMatchObject(status);
    },
  },
  {
    name: 'custom_metadata',
    expectCase: async (channel) => {
      const request = writeSimpleRequest({ responseBytes: 1, payloadBytes: 1 });
      const outcome = await callUnary(channel, unaryCall, request, { metadata });
      expect(readSimpleResponse(messageOf(outcome))).toBe(1);
      expectEchoed(outcome.headers, outcome.ok ? outcome.trailers : undefined);
      const talk = new Conversation(channel, fullDuplex, { metadata });
      talk.stream.write(writeStreamingOutputRequest({ responses: [{ bytes: 1 }], payloadBytes: 1 }));
      expect(readStreamingOutput((await talk.next()) ?? Buffer.alloc(0))).toBe(1);
      talk.stream.end();
      const status = await talk.status;
      expect(status).toMatchObject({ code: statusCode.OK });
      expectEchoed(talk.headers, status.trailers);
    },
  },
  {
    name: 'unimplemented_method',
    expectCase: async (channel) => expectUnimplemented(await callUnary(channel, `${servicePath}/UnimplementedCall`, Buffer.alloc(0))),
  },
  {
    name: 'unimplemented_service',
    expectCase: async (channel) => {
      expectUnimplemented(await callUnary(channel, '/grpc.testing.UnimplementedService/UnimplementedCall', Buffer.alloc(0)));
    },
  },
];

function messageOf(outcome: UnaryOutcome): Buffer {
  if (!outcome.ok) throw new Error(`${outcome.status.code}: ${outcome.status.message}`);
  return outcome.message;
}

function failureOf(outcome: UnaryOutcome): WireStatus {
  if (outcome.ok) throw new Error('expected a failure, got a reply');
  return outcome.status;
}

function expectLarge(outcome: UnaryOutcome): void {
  expect(readSimpleResponse(messageOf(outcome))).toBe(314_159);
}

function expectUnimplemented(outcome: UnaryOutcome): void {
  expect(failureOf(outcome)).toMatchObject({ code: statusCode.UNIMPLEMENTED });
}

function expectEchoed(headers: Metadata | undefined, trailers: Metadata | undefined): void {
  expect(headers?.get('x-grpc-test-echo-initial')).toBe(echoed.initial);
  expect(trailers?.getBinary('x-grpc-test-echo-trailing-bin')).toEqual(echoed.trailing);
}
