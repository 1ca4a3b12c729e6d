import { statusCode } from '@headrace/runtime';
import type { WireStatus } from '../../port.js';

/** The statuses of messages that cannot be taken or sent; `what` names the message, e.g. "the request". */

export function tooLarge(what: string, maxBytes: number, bytes: number): WireStatus {
  return { code: statusCode.RESOURCE_EXHAUSTED, message: `${what}: expected at most ${maxBytes} bytes, got ${bytes}` };
}

export function malformed(text: string): WireStatus {
  return { code: statusCode.INTERNAL, message: text };
}
