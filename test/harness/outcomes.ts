import { statusName, systemClock } from '@headrace/runtime';
import { statusToRefusal } from '@headrace/wire';
import { testTransport } from '@headrace/wire/testing/transport';
import type { Channel, UnaryOutcome } from '@headrace/wire';
import { inferPath } from './infer-message.js';

export type FailedOutcome = Extract<UnaryOutcome, { ok: false }>;

export function openChannel(address: string): Channel {
  return testTransport(systemClock).openChannel(address, {});
}

/** ModelInfer; the deadline, 60 s unless told, turns a server that hangs into a failure. */
export function infer(channel: Channel, message: Buffer, timeoutMs = 60_000): Promise<UnaryOutcome> {
  const deadlineMs = systemClock.nowMs() + timeoutMs;
  return new Promise((resolve) => void channel.unary(inferPath, message, { deadlineMs }, resolve));
}

/**
 * What a failed call says of itself when its server goes away: "refused" is certain never to have been processed,
 * because the server said that it is draining or because the call never reached it. Anything else was accepted and
 * then lost, and is told in full.
 */
export function refusedOrLost({ status, notProcessed }: FailedOutcome): string {
  const { reason } = statusToRefusal(status);
  if (statusName(status.code) === 'UNAVAILABLE' && (notProcessed || reason === 'DRAINING')) return 'refused';
  return `${statusName(status.code)} ${reason}: ${status.message}`;
}
