import { describeError, refuse } from '@headrace/runtime';
import type { Clock, Result } from '@headrace/runtime';
import { statusToRefusal } from '@headrace/wire';
import type { Channel, Metadata } from '@headrace/wire';

/** One rare method, as @headrace/proto describes it. */
export interface MethodCodec<Request, Response> {
  readonly path: string;
  readonly request: { encode(value: Request): Buffer };
  readonly response: { decode(bytes: Buffer): Response };
}

export interface CallLimits {
  readonly timeoutMs: number;
  readonly metadata?: Metadata;
}

/** A rare method called on a backend: objects in and out, failures as values. Never rejects. */
export function callMethod<Request, Response>(
  channel: Channel,
  clock: Clock,
  method: MethodCodec<Request, Response>,
  request: Request,
  limits: CallLimits,
): Promise<Result<Response>> {
  return new Promise((resolve) => {
    const { metadata, timeoutMs } = limits;
    const options = { deadlineMs: clock.nowMs() + timeoutMs, ...(metadata === undefined ? {} : { metadata }) };
    channel.unary(method.path, method.request.encode(request), options, (outcome) => {
      if (!outcome.ok) return resolve({ ok: false, refusal: statusToRefusal(outcome.status) });
      try {
        resolve({ ok: true, value: method.response.decode(outcome.message) });
      } catch (error) {
        resolve({
          ok: false,
          refusal: refuse('BACKEND_PROTOCOL', `${method.path}: the backend's reply cannot be decoded: ${describeError(error)}`),
        });
      }
    });
  });
}
