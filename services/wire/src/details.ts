import type { StatusDetail } from '@headrace/proto';
import { rpcDetails } from '@headrace/proto';
import type { Refusal, RefusalReason } from '@headrace/runtime';
import { refusalStatus } from '@headrace/runtime';
import type { WireStatus } from './port.js';

/** google.rpc.ErrorInfo.domain: whose reasons these are. */
export const errorDomain = 'headrace.dev';

/** Details travel in a header beside the message; together they stay below the 8 KiB that peers commonly allow. */
const maxTextCharacters = 1_024;
const maxFieldCharacters = 256;

export function encodeRefusalDetails(refusal: Refusal): Buffer {
  const message = cut(refusal.message, maxTextCharacters);
  const details: StatusDetail[] = [{ type: 'ErrorInfo', value: { reason: refusal.reason, domain: errorDomain } }];
  if (refusal.field !== undefined) {
    // The description is the message, which the status already carries: said once.
    details.push({
      type: 'BadRequest',
      value: { field_violations: [{ field: cut(refusal.field, maxFieldCharacters), description: message }] },
    });
  }
  if (refusal.retryAfterMs !== undefined) details.push({ type: 'RetryInfo', value: { retry_delay: durationOf(refusal.retryAfterMs) } });
  // google.rpc.Status repeats the code and message; clients that read it (grpc-go) check that both agree.
  return rpcDetails.encodeStatusDetails(refusal.code, message, details);
}

/** Undefined for bytes that are no google.rpc.Status, or that do not come from a Headrace. */
export function decodeRefusalDetails(bytes: Buffer, status: WireStatus): Refusal | undefined {
  const details = decoded(bytes);
  let reason: RefusalReason | undefined;
  let field: string | undefined;
  let retryAfterMs: number | undefined;
  for (const detail of details) {
    if (detail.type === 'ErrorInfo' && detail.value.domain === errorDomain && isReason(detail.value.reason)) reason = detail.value.reason;
    else if (detail.type === 'BadRequest') field = detail.value.field_violations[0]?.field;
    else if (detail.type === 'RetryInfo') retryAfterMs = millisecondsOf(detail.value.retry_delay);
  }
  if (reason === undefined) return undefined;
  return {
    reason,
    code: status.code,
    message: status.message,
    ...(field === undefined ? {} : { field }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(refusalStatus[reason] === status.code ? {} : { upstreamCode: status.code }),
  };
}

function decoded(bytes: Buffer): ReturnType<typeof rpcDetails.decodeStatusDetails>['details'] {
  try {
    return rpcDetails.decodeStatusDetails(bytes).details;
  } catch {
    return [];
  }
}

function isReason(text: string): text is RefusalReason {
  return Object.hasOwn(refusalStatus, text);
}

/** e.g. 1,250.5 ms => 1 s + 250,500,000 ns */
function durationOf(ms: number): { seconds: number; nanos: number } {
  const bounded = Math.max(0, ms);
  const seconds = Math.floor(bounded / 1_000);
  return { seconds, nanos: Math.min(999_999_999, Math.round((bounded - seconds * 1_000) * 1e6)) };
}

function millisecondsOf(duration: { readonly seconds: string; readonly nanos: number } | null): number | undefined {
  if (duration === null) return undefined;
  const ms = Number(duration.seconds) * 1_000 + duration.nanos / 1e6;
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}

function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 3)}...`;
}
