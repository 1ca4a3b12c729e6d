import { statusCode } from '@headrace/runtime';
import { Metadata } from '@headrace/wire';
import type { MethodHandler } from '@headrace/wire';

export const echoPaths = {
  unary: '/test.Echo/Unary',
  fail: '/test.Echo/Fail',
  hold: '/test.Echo/Hold',
  chat: '/test.Echo/Chat',
} as const;

export const failure = { code: statusCode.FAILED_PRECONDITION, message: 'not now: é' };

export interface EchoService {
  readonly methods: readonly MethodHandler[];
  /** Calls of Hold whose client gave up. */
  readonly cancels: number;
  /** Chats whose client gave up. */
  readonly chatCancels: number;
}

/** Raw bytes, so that any client can speak it: what comes is sent back, with x-text in the headers and x-data-bin in the trailers. */
export function echoService(): EchoService {
  const counted = { cancels: 0, chatCancels: 0 };
  const methods: MethodHandler[] = [
    {
      kind: 'unary',
      path: echoPaths.unary,
      handle: (message, call) => {
        const text = call.metadata.get('x-text');
        if (text !== undefined) call.sendHeaders(Metadata.of({ 'x-text': text }));
        const data = call.metadata.getBinary('x-data-bin');
        call.reply(Buffer.from(message), data === undefined ? undefined : Metadata.of({ 'x-data-bin': data }));
      },
    },
    { kind: 'unary', path: echoPaths.fail, handle: (_message, call) => call.fail(failure) },
    { kind: 'unary', path: echoPaths.hold, handle: (_message, call) => call.onCancel(() => counted.cancels++) },
    {
      kind: 'stream',
      path: echoPaths.chat,
      handle: (call) => {
        call.onMessage((message) => {
          if (!call.write(Buffer.from(message))) call.pause();
        });
        call.onDrain(() => call.resume());
        call.onEnd(() => call.end());
        call.onCancel(() => counted.chatCancels++);
      },
    },
  ];
  return {
    methods,
    get cancels() {
      return counted.cancels;
    },
    get chatCancels() {
      return counted.chatCancels;
    },
  };
}
